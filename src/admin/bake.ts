/** Macaroons that open less: made of the admin macaroon by whoever holds it, without the hub. */
import { MAX_CAVEATS, MAX_MACAROON_BYTES } from '../../proxy/l402/fields.ts'
import { extendMacaroon, readMacaroon } from '../../proxy/l402/macaroon.ts'
import { Networks } from '../../proxy/networks.ts'
import { utf8 } from '../base/bytes.ts'
import { asPinholeError, PinholeError } from '../base/errors.ts'
import { BYTES, checkKinds } from '../base/kinds.ts'
import type { Scope } from './contract.ts'

/** Identifier of every admin macaroon (Aperture's). */
export const ADMIN_IDENTIFIER: Uint8Array = utf8('admin')

/** How far a macaroon is to reach; what is left out stays as it is. */
export interface MacaroonLimits {
  /** What it opens, at least one of `read`, `write`, `pay`. Never more than it opened before. */
  readonly scopes?: readonly Scope[] | undefined
  /** Until when it opens anything, in milliseconds since 1970. */
  readonly expiresAtMs?: number | undefined
  /** Addresses and networks (CIDR) that it opens anything for, at least one. */
  readonly addresses?: readonly string[] | undefined
}

/**
 * `macaroon`, an admin macaroon in binary, with caveats for `limits`. Only a hub can tell whether it is good at all.
 * @throws ERR_ADMIN_REQUEST for limits that nothing could meet
 * @throws ERR_ADMIN_MACAROON for bytes that are no admin macaroon, or one that holds too much already
 */
export function bakeMacaroon(macaroon: Uint8Array, limits: MacaroonLimits): Uint8Array {
  checkKinds({ macaroon }, { macaroon: BYTES }, ['macaroon'])
  const read = readMacaroon(macaroon)
  if (!read || read.thirdParty || !isAdminIdentifier(read.identifier)) {
    throw new PinholeError('ERR_ADMIN_MACAROON', 'this is no admin macaroon')
  }
  const caveats = caveatsOf(limits)
  const baked = extendMacaroon(read, caveats)
  const count = read.caveats.length + caveats.length
  if (count > MAX_CAVEATS || baked.length > MAX_MACAROON_BYTES) {
    const text = `a macaroon holds ${MAX_CAVEATS} caveats and ${MAX_MACAROON_BYTES} bytes at most`
    throw new PinholeError('ERR_ADMIN_MACAROON', text)
  }
  return baked
}

/** Whether the identifier of a macaroon is that of admin macaroons. */
export const isAdminIdentifier = (identifier: Uint8Array): boolean =>
  identifier.length === ADMIN_IDENTIFIER.length &&
  ADMIN_IDENTIFIER.every((byte, at) => identifier[at] === byte)

/** Caveats as `grantOf` reads them. */
function caveatsOf({ scopes, expiresAtMs, addresses }: MacaroonLimits): string[] {
  return [
    ...(scopes ? [`scope = ${scopeWords(scopes)}`] : []),
    ...(expiresAtMs === undefined ? [] : [`expires = ${timeText(expiresAtMs)}`]),
    ...(addresses ? [`address = ${networkWords(addresses)}`] : []),
  ]
}

function scopeWords(scopes: readonly Scope[]): string {
  const words = (['read', 'write', 'pay'] as const).filter((scope) => scopes.includes(scope))
  if (words.length === 0) throw wrong('scopes: at least one of read, write, pay is needed')
  return words.join(' ')
}

/** Years beyond 9999 are no RFC 3339. */
function timeText(ms: number): string {
  const time = new Date(ms)
  const year = time.getUTCFullYear()
  if (!(year >= 1970 && year <= 9_999)) throw wrong('expires: no time between 1970 and 9999')
  return time.toISOString()
}

function networkWords(addresses: readonly string[]): string {
  if (addresses.length === 0) throw wrong('address: at least one is needed')
  try {
    new Networks(addresses, 'address')
  } catch (reason) {
    throw wrong(asPinholeError(reason, 'ERR_CONFIG_VALUE').message)
  }
  return addresses.map((address) => address.trim()).join(' ')
}

const wrong = (message: string) => new PinholeError('ERR_ADMIN_REQUEST', message)
