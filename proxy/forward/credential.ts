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

/** Whether an `Authorization` value holds an L402 credential. */
export function holdsL402(authorization: string): boolean {
  return L402_LINE.test(authorization)
}

/** A `Cookie` value without the credentials in it; `undefined` when nothing else is left. */
export function withoutCredentialCookies(cookie: string): string | undefined {
  if (!cookie.includes(CREDENTIAL_COOKIE_PREFIX)) return cookie
  const left = cookie
    .split(';')
    .filter((pair) => !pair.trimStart().startsWith(CREDENTIAL_COOKIE_PREFIX))
    .join(';')
    .trim()
  return left === '' ? undefined : left
}
