/** What options must be, for programs without types: a `TypeError` names the one that is of another kind. */

/** What an option must be. */
export interface Kind {
  /** In words, after `is`. */
  readonly what: string
  readonly holds: (value: unknown) => boolean
}

/** Calls something. */
export const FUNCTION: Kind = { what: 'a function', holds: (value) => typeof value === 'function' }

/** One of any realm, or a polyfill's. */
export const SIGNAL: Kind = {
  what: 'an AbortSignal',
  holds: (value) => hasMethods(value, ['addEventListener', 'throwIfAborted']),
}

/** A time that may be without end. */
export const SPAN_MS: Kind = {
  what: 'a positive number of milliseconds',
  holds: (value) => typeof value === 'number' && value > 0,
}

/** As text or bytes. OpenSSL takes anything else for no certificate at all, and says nothing. */
export const CERTIFICATES: Kind = {
  what: 'certificates in PEM: what is in the file, not its name',
  holds: (value) =>
    value instanceof Uint8Array || (typeof value === 'string' && value.includes('-----BEGIN ')),
}

/** Says something. */
export const TEXT: Kind = {
  what: 'a text that is not empty',
  holds: (value) => typeof value === 'string' && value !== '',
}

/** Has fields. */
export const OBJECT: Kind = {
  what: 'an object',
  holds: (value) => typeof value === 'object' && value !== null && !(value instanceof Promise),
}

/** Bytes, as they are. */
export const BYTES: Kind = {
  what: 'a Uint8Array',
  holds: (value) => value instanceof Uint8Array,
}

/** An object with these methods; `such as` says where one comes from. */
export const withMethods = (names: readonly string[], suchAs: string): Kind => ({
  what: `an object with the method${names.length > 1 ? 's' : ''} ${names.join(', ')}, ${suchAs}`,
  holds: (value) => hasMethods(value, names),
})

/** Takes lines of a log. */
export const LOG: Kind = withMethods(['debug', 'info', 'warn', 'error'], 'such as console')

/**
 * Checks those of `options` that `kinds` names and that are there; those in `needed` must be.
 *
 * @throws TypeError for an option of another kind, and for `options` that are no object
 */
export function checkKinds(
  options: unknown,
  kinds: Readonly<Record<string, Kind>>,
  needed: readonly string[] = [],
): void {
  if (typeof options !== 'object' || options === null) {
    const names = needed.length > 0 ? `: { ${needed.join(', ')} }` : ''
    throw new TypeError(`give options as an object${names}, not ${shown(options)}`)
  }
  for (const [name, { what, holds }] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(options, name)
    if (value === undefined && !needed.includes(name)) continue
    if (!holds(value)) throw new TypeError(`${name} is ${what}, not ${shown(value)}`)
  }
}

/** Names the kind, and no text, which may be secret. */
function shown(value: unknown): string {
  if (value === null || ['undefined', 'number', 'boolean'].includes(typeof value)) {
    return String(value)
  }
  if (value instanceof Promise) return 'a promise (is an await missing?)'
  return typeof value === 'object' ? 'another object' : `a ${typeof value}`
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof Reflect.get(value, name) === 'function')
}
