/**
 * The door of the admin API: each request's caller, by macaroon or by a session of the console. Addresses that
 * bring too many bad macaroons are told to wait (attempts.ts).
 */
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { Attempts } from './attempts.ts'
import { grantOf, lacks } from './auth.ts'
import type { Scope } from './contract.ts'
import type { Caller } from './operations.ts'

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
  readonly #attempts = new Attempts()

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
    return grant.scopes.has(scope) ? { ...grant, address, signal, macaroon } : lacks(scope)
  }

  #refuse(reason: PinholeError, address: string): PinholeError {
    const { clock, log } = this.#parts
    const attempt = this.#attempts.refused(address, clock.now())
    if (attempt.name === 'too many') {
      const { retryAfterMs } = attempt
      const text = 'too many macaroons were refused'
      return new PinholeError('ERR_ADMIN_ATTEMPTS', text, { retryAfterMs })
    }
    const text = attempt.last
      ? 'refused the admin API; further ones are not logged'
      : 'refused the admin API'
    log.warn({ address, reason: reason.message }, text)
    return reason
  }
}
