/**
 * Whether a request may pass, and what it draws if not. Aperture's order: open paths, the credential, free
 * requests, quiet paths; rate limits last, by token or by network, for requests that would go on.
 */
import { isPinholeError } from '../src/base/errors.ts'
import type { InvoiceBackend } from './invoice-backend.ts'
import { type Refusal, rateLimited, storeFailed, UNAUTHORIZED } from './answer.ts'
import { addressPrefix } from './client-address.ts'
import { evidenceOf, type Line, type Shown } from './evidence.ts'
import type { Freebies } from './freebie.ts'
import { type Credential, MAX_CREDENTIALS, parseAuthorization } from './l402/authorization.ts'
import { verify } from './l402/verify.ts'
import { isOpenPath, isQuietPath } from './match.ts'
import type { Meter } from './meter.ts'
import type { RateLimiter } from './rate-limit.ts'
import { RememberedTokens, type Token } from './remembered.ts'
import type { Routed } from './route.ts'
import type { TokenStore } from './token-store.ts'

/** What the gate looks at. */
export interface Visit extends Routed {
  readonly req: Shown
  /** Whose request it is. */
  readonly address: string
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: number
  /** Whether the node must have told that the invoice is settled (`strictverify`). */
  readonly strict: boolean
}

/** What the gate says. */
export type Entry =
  /** Needs no payment. */
  | { readonly name: 'open' }
  /** Paid for by this token. */
  | { readonly name: 'granted'; readonly token: Token }
  /** Needs a payment. */
  | { readonly name: 'unpaid' }
  | { readonly name: 'refused'; readonly refusal: Refusal }

/** A token that is good, and under what it is to be remembered. */
interface Opening {
  readonly key: string
  readonly token: Token
}

/** Where the gate keeps and asks. */
export interface GateDeps {
  readonly tokens: TokenStore
  readonly invoices: Pick<InvoiceBackend, 'settled'>
  readonly freebies: Freebies
  readonly rateLimits: RateLimiter
  readonly remembered: RememberedTokens
  readonly meter: Meter
}

/** Longest wait for the node to tell of a settled invoice, Aperture's. */
const SETTLED_WITHIN_MS = 3_000
/** Clients are told apart by /24 and /48, as in Aperture. */
const PREFIX_BITS = { v4: 24, v6: 48 } as const

const OPEN: Entry = Object.freeze({ name: 'open' })
const UNKNOWN: Entry = Object.freeze({
  name: 'refused',
  refusal: storeFailed('tokens cannot be checked at the moment'),
})
const UNPAID: Entry = Object.freeze({ name: 'unpaid' })
const QUIET: Entry = Object.freeze({ name: 'refused', refusal: UNAUTHORIZED })

/** The store, which logs why, cannot be read: whoever has paid is not asked to pay again. */
function uncertain(error: unknown): Entry {
  if (isPinholeError(error, 'ERR_STORE_OPEN')) return UNKNOWN
  throw error
}

const prefixOf = (address: string) => addressPrefix(address, PREFIX_BITS.v4, PREFIX_BITS.v6)

/** The gate of all services. */
export class Gate {
  readonly #deps: GateDeps

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /**
   * Decides on one visit: at once, but for a credential that the node must be asked about. Throws or rejects
   * only for a mistake of ours.
   */
  enter(visit: Visit): Entry | Promise<Entry> {
    const { service, target } = visit
    if (service.auth.level === 'off' || isOpenPath(service, target)) return this.pass(visit)
    try {
      const token = this.#token(visit)
      if (!(token instanceof Promise)) return this.#admit(visit, token)
      return token.then((opened) => this.#admit(visit, opened)).catch(uncertain)
    } catch (error) {
      return uncertain(error)
    }
  }

  /** Lets a visit pass that needs no payment, its network's rate permitting. */
  pass(visit: Visit): Entry {
    if (visit.service.rateLimits.length === 0) return OPEN
    return this.#limit(visit, `ip:${prefixOf(visit.address)}`) ?? OPEN
  }

  #limit({ service, target, nowMs }: Visit, key: string): Entry | undefined {
    if (service.rateLimits.length === 0) return undefined
    const verdict = this.#deps.rateLimits.check(service, target.path, key, nowMs)
    this.#deps.meter.rate(service, target.path, verdict.allowed)
    if (verdict.allowed) return undefined
    return { name: 'refused', refusal: rateLimited(verdict.retryAfterMs) }
  }

  #admit(visit: Visit, token: Token | undefined): Entry {
    if (token) return this.#limit(visit, `token:${token.tokenId}`) ?? { name: 'granted', token }
    const { service, target } = visit
    if (service.auth.level === 'freebie') return this.#free(visit)
    return isQuietPath(service, target) ? QUIET : UNPAID
  }

  /** What the rate limit refuses costs no free request. */
  #free(visit: Visit): Entry {
    const { freebies } = this.#deps
    const prefix = prefixOf(visit.address)
    if (!freebies.take(visit.service, prefix)) return UNPAID
    const entry = this.pass(visit)
    if (entry.name === 'refused') freebies.giveBack(visit.service, prefix)
    return entry
  }

  /** A line that has opened the service before does so again without being read. */
  #token(visit: Visit): Token | undefined | Promise<Token | undefined> {
    const { req, service, wallMs, strict } = visit
    const evidence = evidenceOf(req, service.name)
    for (const line of evidence) {
      const token = this.#deps.remembered.get(RememberedTokens.key(line, service.name), wallMs)
      if (token && (token.settled || !strict)) return token
    }
    const opening = this.#openings(evidence, visit)
    if (strict) return this.#firstSettled(opening)
    for (const { key, token } of opening) return this.#remember(key, token)
    return undefined
  }

  /** The tokens that the credentials of `evidence` open, one after the other. */
  *#openings(evidence: readonly Line[], visit: Visit): Generator<Opening> {
    let tried = 0
    for (const line of evidence) {
      for (const credential of parseAuthorization([line.name, line.value])) {
        if (++tried > MAX_CREDENTIALS) return
        const token = this.#verify(credential, visit)
        if (token) yield { key: RememberedTokens.key(line, visit.service.name), token }
      }
    }
  }

  async #firstSettled(opening: Iterable<Opening>): Promise<Token | undefined> {
    for (const { key, token } of opening) {
      const settled = await this.#settled(token)
      if (settled) return this.#remember(key, settled)
    }
    return undefined
  }

  #remember(key: string, token: Token): Token {
    this.#deps.remembered.set(key, token)
    this.#deps.tokens.paid(token.identifierHash)
    return token
  }

  #verify(credential: Credential, { service, wallMs }: Visit): Token | undefined {
    const { tokens } = this.#deps
    const rootKey = (identifierHash: Uint8Array) => tokens.rootKey(identifierHash)
    const verdict = verify(credential, { rootKey, service: service.name, nowMs: wallMs })
    if (verdict.name === 'refused') return undefined
    const { identifierHash, paymentHash, expiresAtMs } = verdict
    const tokenId = Buffer.from(verdict.tokenId).toString('hex')
    const priceMsat = tokens.priceMsat?.(identifierHash)
    return { identifierHash, tokenId, paymentHash, priceMsat, expiresAtMs, settled: false }
  }

  async #settled(token: Token): Promise<Token | undefined> {
    if (!(await this.#deps.invoices.settled(token.paymentHash, SETTLED_WITHIN_MS))) return undefined
    // It may have been revoked in the meantime; what is remembered now would outlive that.
    const rootKey = this.#deps.tokens.rootKey(token.identifierHash)
    return rootKey && { ...token, settled: true }
  }
}
