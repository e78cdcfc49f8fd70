/**
 * The cookie in which a browser keeps the credential that its person has paid for. Each service has its own,
 * named by a hash, so that no service is ever asked with the credential of another.
 */
import { createHash } from 'node:crypto'
import { CREDENTIAL_COOKIE_PREFIX } from './forward/credential.ts'

/** What browsers keep at the most, name and attributes left out of account (RFC 6265 §6.1 says 4096). */
const MAX_VALUE_BYTES = 3_800
/** Browsers keep a cookie for 400 days at the most. */
const MAX_AGE_SECONDS = 400 * 86_400
/** Hexadecimal digits of the hash in the name; services of one hub must differ in them. */
const HASH_DIGITS = 32

/** Name of a service's cookie. */
export function cookieName(service: string): string {
  const hash = createHash('sha256').update(service).digest('hex').slice(0, HASH_DIGITS)
  return `${CREDENTIAL_COOKIE_PREFIX}${hash}`
}

/** The cookie's value: what would follow the scheme in `Authorization`. All of it may stand in a cookie. */
export function cookieValue(macaroon: Uint8Array, preimage: Uint8Array): string {
  const encoded = Buffer.from(macaroon).toString('base64')
  return `${encoded}:${Buffer.from(preimage).toString('hex')}`
}

/** Whether a macaroon is small enough to be kept in a cookie. */
export function fitsCookie(macaroon: Uint8Array): boolean {
  return cookieValue(macaroon, new Uint8Array(32)).length <= MAX_VALUE_BYTES
}

/** What makes the cookie. */
export interface CookieFacts {
  readonly service: string
  readonly value: string
  /** Whether the client came by TLS. */
  readonly secure: boolean
  /** Seconds that the credential is good for yet; `undefined` is for ever. */
  readonly seconds: number | undefined
}

/** The `Set-Cookie` line. Scripts cannot read the cookie, and other sites cannot send it along. */
export function setCookie({ service, value, secure, seconds = MAX_AGE_SECONDS }: CookieFacts) {
  const age = Math.max(0, Math.min(MAX_AGE_SECONDS, Math.floor(seconds)))
  const attributes = `Max-Age=${age}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return `${cookieName(service)}=${value}; ${attributes}`
}

/** The values that a `Cookie` header has for a service: nearly always none, seldom more than one. */
export function readCookies(header: string | undefined, service: string): readonly string[] {
  if (!header?.includes(CREDENTIAL_COOKIE_PREFIX)) return []
  const start = `${cookieName(service)}=`
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length))
}
