/**
 * Sessions of the console: a browser shows a macaroon, or the code of a link that was made with one, and gets a
 * cookie. A session holds that macaroon, and what it opens is found out anew for each request, so that caveats
 * bind a session as they bind the macaroon. Kept in memory: a restart of the hub ends all of them.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { Attempts } from './attempts.ts'
import { type Grant, grantOf } from './auth.ts'

/** How long the code of a link is good for. */
const CODE_LIFE_MS = 5 * 60_000
/** A session that is not used for so long has ended. */
const IDLE_MS = 60 * 60_000
/** A session ends after so long, used or not. */
const LIFE_MS = 12 * 60 * 60_000
/** Of each kind; the one that was made first makes room. */
const MAX_CODES = 32
const MAX_SESSIONS = 64
const SECRET_BYTES = 32

/** What sessions are made of. */
export interface SessionParts {
  readonly rootKey: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

/** What a browser shows to be let in. */
export type Key = { readonly code: string } | { readonly macaroon: string }

/** What a session opens now. */
export interface Entry extends Grant {
  /** Hex. */
  readonly macaroon: string
  /** When it ends at the latest, in milliseconds since 1970. */
  readonly endsAtMs: number
}

/** A session that was opened just now. */
export interface Opened extends Entry {
  /** What the cookie holds. */
  readonly secret: string
}

interface Kept {
  readonly macaroon: string
  readonly openedMs: number
}

interface Session extends Kept {
  readonly endsAtMs: number
  usedMs: number
}

/** All sessions of a hub. Secrets are kept as hashes, and found by them. */
export class Sessions {
  readonly #parts: SessionParts
  readonly #codes = new Map<string, Kept>()
  readonly #sessions = new Map<string, Session>()
  readonly #attempts = new Attempts()

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** A code that opens one session by `macaroon`, once, within five minutes. */
  link(macaroon: string): { readonly code: string; readonly endsAtMs: number } {
    const { clock } = this.#parts
    const code = newSecret()
    makeRoom(this.#codes, MAX_CODES)
    this.#codes.set(hashOf(code), { macaroon, openedMs: clock.now() })
    return { code, endsAtMs: clock.wall() + CODE_LIFE_MS }
  }

  /** Opens a session, or `ERR_ADMIN_LOGIN`, `ERR_ADMIN_MACAROON`, `ERR_ADMIN_ATTEMPTS`. */
  open(key: Key, address: string): Opened | PinholeError {
    const { clock, log } = this.#parts
    const macaroon = 'code' in key ? this.#redeem(key.code) : key.macaroon
    if (macaroon === undefined) {
      const text = 'the login link is unknown, has expired or was used'
      return this.#refuse(new PinholeError('ERR_ADMIN_LOGIN', text), address)
    }
    const grant = this.#grant(macaroon, address)
    if (grant instanceof PinholeError) return this.#refuse(grant, address)
    const secret = newSecret()
    const [openedMs, endsAtMs] = [clock.now(), clock.wall() + LIFE_MS]
    this.#prune(openedMs)
    makeRoom(this.#sessions, MAX_SESSIONS)
    this.#sessions.set(hashOf(secret), { macaroon, openedMs, usedMs: openedMs, endsAtMs })
    log.info({ address, by: 'code' in key ? 'link' : 'macaroon' }, 'a console session was opened')
    return { ...grant, macaroon, endsAtMs, secret }
  }

  /** What the session of a cookie opens for one at `address`; `undefined` when there is none, or not any more. */
  entry(secret: string, address: string): Entry | undefined {
    const nowMs = this.#parts.clock.now()
    const session = this.#sessions.get(hashOf(secret))
    if (!session || hasEnded(session, nowMs)) return undefined
    const grant = this.#grant(session.macaroon, address)
    if (grant instanceof PinholeError) return undefined
    session.usedMs = nowMs
    return { ...grant, macaroon: session.macaroon, endsAtMs: session.endsAtMs }
  }

  /** Ends a session. */
  end(secret: string, address: string): void {
    if (!this.#sessions.delete(hashOf(secret))) return
    this.#parts.log.info({ address }, 'a console session was ended')
  }

  #redeem(code: string): string | undefined {
    const hash = hashOf(code)
    const kept = this.#codes.get(hash)
    this.#codes.delete(hash)
    if (!kept || this.#parts.clock.now() - kept.openedMs >= CODE_LIFE_MS) return undefined
    return kept.macaroon
  }

  #grant(macaroon: string, address: string): Grant | PinholeError {
    const { rootKey, clock } = this.#parts
    return grantOf(macaroon, rootKey, { address, wallMs: clock.wall() })
  }

  #refuse(reason: PinholeError, address: string): PinholeError {
    const { clock, log } = this.#parts
    const attempt = this.#attempts.refused(address, clock.now())
    if (attempt.name === 'too many') {
      const { retryAfterMs } = attempt
      return new PinholeError('ERR_ADMIN_ATTEMPTS', 'too many logins were refused', {
        retryAfterMs,
      })
    }
    const text = 'refused a login to the console'
    const more = attempt.last ? '; further ones are not logged' : ''
    log.warn({ address, reason: reason.message }, text + more)
    return reason
  }

  #prune(nowMs: number): void {
    for (const [hash, session] of this.#sessions) {
      if (hasEnded(session, nowMs)) this.#sessions.delete(hash)
    }
  }
}

const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url')

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64')

const hasEnded = ({ openedMs, usedMs }: Session, nowMs: number): boolean =>
  nowMs - usedMs >= IDLE_MS || nowMs - openedMs >= LIFE_MS

/** Maps keep the order in which things were added. */
function makeRoom(map: Map<string, unknown>, max: number): void {
  const [first] = map.keys()
  if (map.size >= max && first !== undefined) map.delete(first)
}
