/** Completion for fish, with what each word means. */
import { type CommandShape, type FlagShape, type ValueShape, withBelow } from '../command-tree.ts'

/** The script that fish loads. */
export function fishCompletion(tree: CommandShape): string {
  const all = withBelow(tree)
  const below = all.slice(1).map(({ path }) => quote(path))
  return `# Completion of pinhole for fish; written by pinhole completion fish.
function __pinhole_at
  set -l at pinhole
  for word in (commandline -opc)[2..-1]
    if contains -- "$at $word" ${below.join(' ')}
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c pinhole -f
${all.flatMap(linesOf).join('\n')}
`
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function linesOf({ path, flags, commands, arguments: given }: CommandShape): string[] {
  const begin = `complete -c pinhole -n ${quote(`__pinhole_at ${quote(path)}`)}`
  const [first] = given
  return [
    ...commands.map(({ name, summary }) => `${begin} -a ${quote(name)} -d ${quote(summary)}`),
    ...(first?.kind === 'choice' ? [`${begin} -a ${quote(first.choices.join(' '))}`] : []),
    ...(first?.kind === 'file' ? [`${begin} -F`] : []),
    ...flags.map((flag) => `${begin} ${flagWords(flag)}`),
  ]
}

function flagWords({ names, summary, takes }: FlagShape): string {
  const words = names.map((name) =>
    /^--/.test(name) ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  )
  return [...words, ...valueWords(takes), ...(summary === '' ? [] : ['-d', quote(summary)])].join(
    ' ',
  )
}

function valueWords(takes: ValueShape): string[] {
  switch (takes.kind) {
    case 'nothing':
      return []
    case 'choice':
      return takes.optional
        ? ['-a', quote(takes.choices.join(' '))]
        : ['-x', '-a', quote(takes.choices.join(' '))]
    case 'file':
      return ['-r', '-F']
    case 'folder':
      return ['-x', '-a', quote('(__fish_complete_directories)')]
    case 'text':
      return ['-x']
  }
}
