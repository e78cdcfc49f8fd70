/** Completion for zsh, with what each word means. */
import { type CommandShape, type ValueShape, withBelow } from '../command-tree.ts'
import { isOptional, quote } from './quote.ts'

/** The script that zsh loads from a folder of `$fpath`, or sources. */
export function zshCompletion(tree: CommandShape): string {
  const all = withBelow(tree)
  const below = all.slice(1).map(({ path }) => quote(path))
  return `#compdef pinhole
# Completion of pinhole for zsh; written by pinhole completion zsh.
_pinhole() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} at=pinhole i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      (${below.join(' | ')}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at $prev" in
${all.flatMap(valueCases).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case "$at" in
${all.map(({ path, flags }) => `      (${quote(path)}) found=(${flags.flatMap(({ names, summary }) => names.map((name) => entry(name, summary))).join(' ')}) ;;`).join('\n')}
    esac
    _describe flag found
  else
    case "$at" in
${all.map(wordCase).join('\n')}
    esac
  fi
}
if [[ \${funcstack[1]} == _pinhole ]]; then _pinhole "$@"; else compdef _pinhole pinhole; fi
`
}

/** A word with what it means, as `_describe` takes it. */
const entry = (word: string, summary: string): string =>
  quote(`${word.replaceAll(':', '\\\\:')}:${summary}`)

function valueCases({ path, flags }: CommandShape): string[] {
  return flags
    .filter(({ takes }) => takes.kind !== 'nothing' && !isOptional(takes))
    .map(({ names, takes }) => {
      const patterns = names.map((name) => quote(`${path} ${name}`)).join(' | ')
      return `    (${patterns}) ${replyOf(takes)} ;;`
    })
}

function replyOf(takes: ValueShape): string {
  switch (takes.kind) {
    case 'choice':
      return `compadd -- ${takes.choices.map(quote).join(' ')}; return`
    case 'file':
      return '_files; return'
    case 'folder':
      return '_files -/; return'
    case 'text':
    case 'nothing':
      return `_message ${quote(takes.kind === 'text' ? takes.what : '')}; return`
  }
}

function wordCase({ path, commands, arguments: given }: CommandShape): string {
  const [first] = given
  const entries = commands.map(({ name, summary }) => entry(name, summary))
  const reply =
    entries.length > 0
      ? `found=(${entries.join(' ')}); _describe command found`
      : first
        ? replyOf(first).replace(/; return$/, '')
        : ':'
  return `      (${quote(path)}) ${reply} ;;`
}
