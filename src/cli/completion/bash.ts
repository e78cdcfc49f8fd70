/** Completion for bash, 3.2 on. */
import { type CommandShape, type ValueShape, withBelow } from '../command-tree.ts'
import { isOptional, quote } from './quote.ts'

/** The script that bash sources. */
export function bashCompletion(tree: CommandShape): string {
  const all = withBelow(tree)
  const below = all.slice(1).map(({ path }) => quote(path))
  return `# Completion of pinhole for bash; written by pinhole completion bash.
_pinhole() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at=pinhole words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${below.join(' | ')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $prev" in
${all.flatMap(valueCases).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case "$at" in
${all.map(({ path, flags }) => `      ${quote(path)}) words=${quote(namesOf(flags))} ;;`).join('\n')}
    esac
  else
    case "$at" in
${all.map(wordCase).join('\n')}
    esac
  fi
  [[ -n $words ]] && compopt +o default 2>/dev/null
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _pinhole pinhole
`
}

const namesOf = (flags: CommandShape['flags']): string =>
  flags.flatMap(({ names }) => names).join(' ')

/** What may follow a flag: words of a choice; a file, by the shell's own means; nothing that is known. */
function valueCases({ path, flags }: CommandShape): string[] {
  return flags
    .filter(({ takes }) => takes.kind !== 'nothing' && !isOptional(takes))
    .map(({ names, takes }) => {
      const patterns = names.map((name) => quote(`${path} ${name}`)).join(' | ')
      return `    ${patterns}) ${replyOf(takes)} ;;`
    })
}

function replyOf(takes: ValueShape): string {
  switch (takes.kind) {
    case 'choice':
      return `COMPREPLY=($(compgen -W ${quote(takes.choices.join(' '))} -- "$cur")); return`
    case 'file':
    case 'folder':
      return 'return'
    case 'text':
    case 'nothing':
      return 'compopt +o default 2>/dev/null; return'
  }
}

function wordCase({ path, commands, arguments: given }: CommandShape): string {
  const [first] = given
  const words =
    commands.length > 0
      ? commands.map(({ name }) => name)
      : first?.kind === 'choice'
        ? first.choices
        : []
  const files = first?.kind === 'file' || words.length > 0
  const otherwise = files ? '' : ' compopt +o default 2>/dev/null'
  return `      ${quote(path)})${words.length > 0 ? ` words=${quote(words.join(' '))}` : otherwise} ;;`
}
