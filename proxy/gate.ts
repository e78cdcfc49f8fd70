/**
 * Whether a request may pass, and what it draws if not. Aperture's order: open paths, the credential, free
 * requests, quiet paths; rate limits last, by token or by network, for requests that would go on.
 */
import type { InvoiceBackend } from './invoice-backend.ts'
import { type Refusal, rateLimited, UNAUTHORIZED } from './answer.ts'
import { addressPrefix } from './client-address.ts'
import { readCookies } from './cookie.ts'
import type { Freebies } from './freebie.ts'
import { type Credential, parseAuthorization } from './l402/authorization.ts'
import { verify } from './l402/verify.ts'
import { isOpenPath, isQuietPath } from './match.ts'
import type { Meter } from './meter.ts'
import type { RateLimiter } from './rate-limit.ts'
import { RememberedTokens, type Token } from './remembered.ts'
import type { Routed } from './route.ts'
import type { TokenStore } from './token-store.ts'

/** Where a request shows its credentials. */
export interface Shown {
  /** Node's flat list of names and values. */
  readonly rawHeaders: readonly string[]
  readonly headers: { readonly cookie?: string | undefined }
}

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
const UNPAID: Entry = Object.freeze({ name: 'unpaid' })

const prefixOf = (address: string) => addressPrefix(address, PREFIX_BITS.v4, PREFIX_BITS.v6)

/** The gate of all services. */
export class Gate {
  readonly #deps: GateDeps

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /** Decides on one visit. Rejects only when the store of tokens or the backend of invoices fails. */
  async enter(visit: Visit): Promise<Entry> {
    const { service, target } = visit
    const { auth } = service
    if (auth.level === 'off' || isOpenPath(service, target)) return this.pass(visit)
    const token = await this.#token(visit)
    if (token) return this.#limit(visit, `token:${token.tokenId}`) ?? { name: 'granted', token }
    if (auth.level === 'freebie') {
      return this.#deps.freebies.take(service, prefixOf(visit.address)) ? this.pass(visit) : UNPAID
    }
    return isQuietPath(service, target) ? { name: 'refused', refusal: UNAUTHORIZED } : UNPAID
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

  async #token(visit: Visit): Promise<Token | undefined> {
    for (const credential of credentialsOf(visit)) {
      const key = RememberedTokens.key(credential, visit.service.name)
      const remembered = this.#deps.remembered.get(key, visit.wallMs)
      if (remembered && (remembered.settled || !visit.strict)) return remembered
      const token = remembered ?? this.#verify(credential, visit)
      if (!token) continue
      const open = visit.strict ? await this.#settled(token) : token
      if (!open) continue
      this.#deps.remembered.set(key, open)
      this.#deps.tokens.paid(open.identifierHash)
      return open
    }
    return undefined
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

/** The credentials of a visit: those of its headers, then those that the payment page left in cookies. */
function credentialsOf({ req, service }: Visit): readonly Credential[] {
  const shown = parseAuthorization(req.rawHeaders)
  const kept = readCookies(req.headers.cookie, service.name)
  if (kept.length === 0) return shown
  const lines = kept.flatMap((value) => ['authorization', `L402 ${value}`])
  return [...shown, ...parseAuthorization(lines)]
}
