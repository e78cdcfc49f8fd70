/**
 * Reads credentials from request headers, in the forms that are in use:
 *
 *     Authorization: L402 <macaroon in base64>[,<another>…]:<preimage in hex>     LSAT as well, in any case
 *     Grpc-Metadata-Macaroon: <macaroon in hex, with a caveat preimage=<hex>>
 *     Macaroon: <the same>                                                        gRPC's metadata `macaroon`
 *     Token: <the same>                                                           and `token`, its newer name
 *
 * All lines count, and a line may hold several credentials, since proxies join lines with commas; whatever
 * else is in a line (Basic, Bearer) is passed over. Nothing here throws.
 */
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { PREIMAGE, parseCaveat } from './caveat.ts'
import { MAX_MACAROON_BYTES } from './fields.ts'
import { decodeIdentifier } from './identifier.ts'
import { readMacaroon, type Macaroon } from './macaroon.ts'

/** What a buyer shows. */
export interface Credential {
  /** In binary; at least one. */
  readonly macaroons: readonly Uint8Array[]
  /** 32 bytes. */
  readonly preimage: Uint8Array
}

/** Longest header value that is looked at, in characters. */
export const MAX_HEADER_CHARS = 32_768
/** Most credentials that are taken from a request. */
export const MAX_CREDENTIALS = 8
/** Most macaroons in a credential; one with more is passed over. */
export const MAX_MACAROONS = 8

const PREIMAGE_HEX = /^[0-9a-f]{64}$/i

const MACAROON_HEADERS: ReadonlySet<string> = new Set([
  'grpc-metadata-macaroon',
  'macaroon',
  'token',
])

/** Lower-case names of the headers that may carry a credential. */
export const credentialHeaderNames: ReadonlySet<string> = new Set([
  'authorization',
  ...MACAROON_HEADERS,
])

// Each part ends at a character that it cannot hold itself, so that the time is linear in the length.
const CREDENTIAL =
  /(?:^|[\s,])(?:L402|LSAT)[ \t]+([A-Za-z0-9+/_=-]+(?:[ \t]*,[ \t]*[A-Za-z0-9+/_=-]+)*):([0-9a-f]{64})(?=[ \t]*(?:,|$))/gi

const SCHEME = /(?:^|[\s,])(?:L402|LSAT)(?:[\s,]|$)/i

/**
 * The credentials of a request, `Authorization` first, in the order of their lines; what is none is passed
 * over. `rawHeaders` is Node's flat list of names and values.
 */
export function parseAuthorization(rawHeaders: readonly string[]): readonly Credential[] {
  const fromAuthorization: Credential[] = []
  const fromMacaroon: Credential[] = []
  for (const [name, value] of pairs(rawHeaders)) {
    if (value.length > MAX_HEADER_CHARS) continue
    if (name === 'authorization') fromAuthorization.push(...parseLine(value))
    else if (MACAROON_HEADERS.has(name)) fromMacaroon.push(...parseMacaroonHeader(value))
  }
  return [...fromAuthorization, ...fromMacaroon].slice(0, MAX_CREDENTIALS)
}

/** The value of `Authorization` that shows `macaroon`, as deployed servers read it. */
export function formatAuthorization(macaroon: Uint8Array, preimage: Uint8Array): string {
  return `L402 ${toBase64(macaroon)}:${toHex(preimage)}`
}

/**
 * `rawHeaders` without the credentials: lines of `Authorization` that name L402 or LSAT, whether or not the
 * rest of them can be read, and macaroons that are L402's. What else those headers carry (Basic, the
 * upstream's own macaroon) stays.
 */
export function stripL402(rawHeaders: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    if (!carriesL402(name.toLowerCase(), value)) kept.push(name, value)
  }
  return kept
}

/** Whether a line of `rawHeaders` carries a credential, or what was meant for one. */
export function showsL402(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (name, at) => at % 2 === 0 && carriesL402(name.toLowerCase(), rawHeaders[at + 1] ?? ''),
  )
}

function carriesL402(name: string, value: string): boolean {
  if (name === 'authorization') return SCHEME.test(value)
  if (!MACAROON_HEADERS.has(name)) return false
  const macaroon = macaroonInHex(value)
  if (!macaroon) return false
  return decodeIdentifier(macaroon.identifier) !== undefined || preimageOf(macaroon) !== undefined
}

function* pairs(rawHeaders: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    yield [(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? '']
  }
}

function parseLine(line: string): readonly Credential[] {
  const credentials: Credential[] = []
  for (const [, list = '', hex = ''] of line.matchAll(CREDENTIAL)) {
    const macaroons = parseMacaroons(list)
    const preimage = fromHex(hex)
    if (macaroons && preimage) credentials.push({ macaroons, preimage })
    if (credentials.length === MAX_CREDENTIALS) break
  }
  return credentials
}

function parseMacaroons(list: string): readonly Uint8Array[] | undefined {
  const texts = list.split(',', MAX_MACAROONS + 1)
  if (texts.length > MAX_MACAROONS) return undefined
  const macaroons = texts.map((text) => fromBase64(text.trim(), MAX_MACAROON_BYTES))
  return macaroons.every((bytes) => bytes !== undefined) ? macaroons : undefined
}

function parseMacaroonHeader(value: string): readonly Credential[] {
  const macaroon = macaroonInHex(value)
  const preimage = macaroon && preimageOf(macaroon)
  return preimage ? [{ macaroons: [macaroon.bytes], preimage }] : []
}

function macaroonInHex(value: string): Macaroon | undefined {
  const hex = value.trim()
  if (hex.length > 2 * MAX_MACAROON_BYTES) return undefined
  const bytes = fromHex(hex)
  return bytes && readMacaroon(bytes)
}

/** The preimage in the last caveat that says it has one. */
function preimageOf(macaroon: Macaroon): Uint8Array | undefined {
  const caveats = macaroon.caveats.map(parseCaveat)
  const hex = caveats.findLast((caveat) => caveat?.condition === PREIMAGE)?.value
  return hex !== undefined && PREIMAGE_HEX.test(hex) ? fromHex(hex) : undefined
}
