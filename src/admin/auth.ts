/** Who may do what, by macaroon. Pure: the caller passes the time. */
import { parseTime } from '../base/time.ts'
import { Networks } from '../../proxy/networks.ts'
import { hasSignature, readMacaroon } from '../../proxy/l402/macaroon.ts'
import { fromHex } from '../base/bytes.ts'
import { isPinholeError, PinholeError } from '../base/errors.ts'
import { isAdminIdentifier } from './bake.ts'
import type { Scope } from './contract.ts'

/** Scopes of a macaroon without caveats. */
export const ALL_SCOPES: ReadonlySet<Scope> = new Set<Scope>(['none', 'read', 'write', 'pay'])

/** What is known of one who asks. */
export interface Asker {
  readonly address: string
  /** Milliseconds since 1970. */
  readonly wallMs: number
}

/** What a macaroon opens. */
export interface Grant {
  readonly scopes: ReadonlySet<Scope>
}

/**
 * What `macaroonHex` opens for `asker`, or `ERR_ADMIN_MACAROON` with Aperture's texts, and with the caveat that is in the
 * way; never throws. Signatures are compared without an early exit.
 */
export function grantOf(
  macaroonHex: string | undefined,
  rootKey: Uint8Array,
  asker: Asker,
): Grant | PinholeError {
  if (macaroonHex === undefined || macaroonHex === '') return refused('missing macaroon')
  const bytes = fromHex(macaroonHex)
  if (!bytes) return refused('invalid macaroon encoding')
  const macaroon = readMacaroon(bytes)
  if (!macaroon) return refused('invalid macaroon')
  if (!isAdminIdentifier(macaroon.identifier) || !hasSignature(macaroon, rootKey))
    return unverified()
  let scopes = ALL_SCOPES
  for (const caveat of macaroon.caveats) {
    const met = meet(caveat, asker)
    if (!met) return unmet(caveat, asker)
    scopes = new Set([...scopes].filter((scope) => met.has(scope)))
  }
  return { scopes }
}

/** The error when `scopes` lack one. */
export const lacks = (scope: Scope): PinholeError =>
  new PinholeError('ERR_ADMIN_SCOPE', `the macaroon lacks the scope ${scope}`)

const refused = (message: string) => new PinholeError('ERR_ADMIN_MACAROON', message)
const unverified = () => refused('macaroon verification failed')

/** Of a caveat in an error; who narrows a macaroon may write into it what he likes. */
const SHOWN_CHARACTERS = 80

/** Said to who has a macaroon that is signed, so that he sees which of his own conditions stands against him. */
const unmet = (caveat: string, { address }: Asker) => {
  const shown = JSON.stringify(caveat.slice(0, SHOWN_CHARACTERS))
  return refused(
    `macaroon verification failed: its caveat ${shown} does not hold now for ${address}`,
  )
}

/** The scopes that a caveat leaves; `undefined` when it is not met, or not known. */
function meet(caveat: string, { address, wallMs }: Asker): ReadonlySet<Scope> | undefined {
  const [, name, value = ''] = /^\s*([a-z]+)\s*=\s*(.*?)\s*$/s.exec(caveat) ?? []
  switch (name) {
    case 'scope': {
      const words = value.split(/[\s,]+/)
      const named = SCOPES.filter((scope) => words.includes(scope))
      return named.length === words.length ? new Set<Scope>(['none', ...named]) : undefined
    }
    case 'expires':
      return wallMs < readExpiry(value) ? ALL_SCOPES : undefined
    case 'address':
      return isWithin(address, value) ? ALL_SCOPES : undefined
    default:
      return undefined
  }
}

const SCOPES = ['read', 'write', 'pay'] as const

/** Never later than it says: text that is no time was over before. */
const readExpiry = (text: string): number => parseTime(text) ?? 0

function isWithin(address: string, networks: string): boolean {
  try {
    return new Networks(networks.split(/[\s,]+/), 'address').has(address)
  } catch (reason) {
    if (isPinholeError(reason, 'ERR_CONFIG_VALUE')) return false
    throw reason
  }
}
