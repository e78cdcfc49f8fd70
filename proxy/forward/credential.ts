/** Takes the L402 credential out of what an upstream is sent. */

/**
 * Any line in which Aperture's pattern, which looks anywhere in the text, could find a credential. A line
 * that holds one beside something else goes as a whole: better a 401 of the upstream's than a leak.
 */
const L402_LINE = /^\s*(?:l402|lsat)$|(?:l402|lsat)\s/i

/** Cookies in which the payment page keeps credentials begin with this. */
export const CREDENTIAL_COOKIE_PREFIX = 'pinhole_l402_'

/** Headers that hold nothing but a credential, in lower case. */
export const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'macaroon',
  'grpc-metadata-macaroon',
])

/** Cookies of the console's sessions, by how the browser came. No upstream is ever sent one. */
export const CONSOLE_COOKIES = { secure: '__Host-pinhole', cleartext: 'pinhole_console' } as const

/** Whether an `Authorization` value holds an L402 credential. */
export function holdsL402(authorization: string): boolean {
  return L402_LINE.test(authorization)
}

/** A `Cookie` value without the credentials in it; `undefined` when nothing else is left. */
export function withoutCredentialCookies(cookie: string): string | undefined {
  return withoutPairs(cookie, [CREDENTIAL_COOKIE_PREFIX])
}

/** A `Cookie` value without sessions of the console; `undefined` when nothing else is left. */
export function withoutConsoleCookies(cookie: string): string | undefined {
  return withoutPairs(cookie, CONSOLE_COOKIE_STARTS)
}

const CONSOLE_COOKIE_STARTS = Object.values(CONSOLE_COOKIES)

/** Leaves out every pair whose name begins with one of `starts`. */
function withoutPairs(cookie: string, starts: readonly string[]): string | undefined {
  if (!starts.some((start) => cookie.includes(start))) return cookie
  const left = cookie
    .split(';')
    .filter((pair) => !starts.some((start) => pair.trimStart().startsWith(start)))
    .join(';')
    .trim()
  return left === '' ? undefined : left
}
