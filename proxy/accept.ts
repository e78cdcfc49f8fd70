/** In which form a client wants to read an answer (RFC 9110 §12.5.1). */

/** JSON for programs, a page for people, a line of text as Aperture sends it. */
export type Form = 'json' | 'html' | 'text'

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['application/json', 'json'],
  ['application/problem+json', 'json'],
  ['text/html', 'html'],
  ['text/plain', 'text'],
])

const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i

function quality(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [, q] = QUALITY.exec(parameter.trim()) ?? []
    if (q !== undefined) return Number(q)
  }
  return 1
}

/**
 * The form that `accept` names with the highest quality, the first of equals. JSON when it names none of
 * them: wildcards ask for nothing in particular, and a browser names `text/html` itself.
 */
export function preferredForm(accept: string | undefined): Form {
  let preferred: Form = 'json'
  let highest = 0
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';')
    const form = FORMS.get(type.trim().toLowerCase())
    if (form === undefined) continue
    const q = quality(parameters)
    if (q > highest) {
      preferred = form
      highest = q
    }
  }
  return preferred
}
