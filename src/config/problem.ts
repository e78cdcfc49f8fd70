import { PinholeError } from '../base/errors.ts'

/** Where a configured value was written. */
export type Place =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'values' }

/** One thing that is wrong with a configuration. */
export interface Problem {
  readonly code: 'ERR_CONFIG_SYNTAX' | 'ERR_CONFIG_KEY' | 'ERR_CONFIG_VALUE'
  readonly place: Place
  /** Dotted key as it was written, or empty for the file as a whole. */
  readonly key: string
  /** What is wrong with it. */
  readonly text: string
}

/** `pinhole.yaml:3:1: `, or empty for what was written nowhere. */
export function show(place: Place): string {
  switch (place.kind) {
    case 'file':
      return `${place.file}:${place.line}:${place.column}: `
    case 'flag':
      return `command line, ${place.flag}: `
    case 'values':
      return ''
  }
}

function order(a: Problem, b: Problem): number {
  if (a.place.kind !== 'file' || b.place.kind !== 'file') return 0
  return a.place.line - b.place.line || a.place.column - b.place.column
}

/**
 * All `problems` as one error, a line each, in the order of the file:
 * `pinhole.yaml:3:1: hashmial: unknown key; did you mean "hashmail"?`
 */
export function configError(problems: readonly Problem[]): PinholeError {
  const lines = problems.toSorted(order).map(({ place, key, text }) => {
    return `${show(place)}${key === '' ? '' : `${key}: `}${text}`
  })
  const [first] = problems.toSorted(order)
  return new PinholeError(first?.code ?? 'ERR_CONFIG_VALUE', lines.join('\n'))
}
