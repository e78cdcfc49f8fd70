/**
 * The door of the admin API: each request's caller, by macaroon or by a session of the console. Addresses that
 * bring too many bad macaroons are told to wait. Good ones are taken all the same: a client that shares an address
 * with an attacker, as behind a proxy, is not locked out, and a key of 256 bits is not guessed.
 */
import { addressPrefix } from '../../proxy/client-address.ts'
import { SlidingCount } from '../../proxy/sliding-count.ts'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { grantOf, lacks } from './auth.ts'
import type { Scope } from './contract.ts'
import type { Caller } from './operations.ts'

const MAX_FAILURES = 20
const PER_MS = 60_000
/** Beyond it the address that failed first is forgotten. */
const MAX_ADDRESSES = 10_000

/** What a guard is made of. */
export interface GuardParts {
  readonly rootKey: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

/** One who asks, before anything is known of him. */
export interface Visitor {
  /** Hex; `undefined` when none was sent. */
  readonly macaroon: string | undefined
  readonly address: string
  readonly signal: AbortSignal
  /** What his session of the console opens. */
  readonly session?: Caller | undefined
}

/** Lets callers in, or says why not. */
export class Guard {
  readonly #parts: GuardParts
  readonly #failures = new Map<string, SlidingCount>()

  constructor(parts: GuardParts) {
    this.#parts = parts
  }

  /** The caller, or `ERR_ADMIN_MACAROON`, `ERR_ADMIN_SCOPE`, `ERR_ADMIN_ATTEMPTS`. */
  admit({ macaroon, address, signal, session }: Visitor, scope: Scope): Caller | PinholeError {
    if (macaroon === undefined && session) {
      return session.scopes.has(scope) || scope === 'none' ? session : lacks(scope)
    }
    if (scope === 'none') return { scopes: new Set<Scope>(['none']), address, signal }
    const { rootKey, clock } = this.#parts
    const grant = grantOf(macaroon, rootKey, { address, wallMs: clock.wall() })
    if (grant instanceof PinholeError) return this.#refuse(grant, address)
    return grant.scopes.has(scope) ? { ...grant, address, signal } : lacks(scope)
  }

  #refuse(reason: PinholeError, address: string): PinholeError {
    const { clock, log } = this.#parts
    const nowMs = clock.now()
    const prefix = addressPrefix(address, 32, 64)
    const count = this.#failures.get(prefix) ?? new SlidingCount(PER_MS)
    this.#failures.delete(prefix)
    this.#failures.set(prefix, count)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest)
    if (count.at(nowMs) >= MAX_FAILURES) {
      return new PinholeError('ERR_ADMIN_ATTEMPTS', 'too many macaroons were refused', {
        retryAfterMs: count.belowMs(MAX_FAILURES, nowMs),
      })
    }
    count.add(nowMs)
    const last = count.at(nowMs) === MAX_FAILURES
    const text = last
      ? 'refused the admin API; further ones are not logged'
      : 'refused the admin API'
    log.warn({ address, reason: reason.message }, text)
    return reason
  }
}
