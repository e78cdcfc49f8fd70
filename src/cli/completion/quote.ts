import type { ValueShape } from '../command-tree.ts'

/** `text` as one word of sh, bash and zsh. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Whether what follows a flag can be left out, so that anything may follow it. */
export const isOptional = (takes: ValueShape): boolean =>
  takes.kind === 'nothing' || (takes.kind === 'choice' && takes.optional)
