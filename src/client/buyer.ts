/** The tokens that a client has and gets: which one goes with a request, and what a 402 to it leads to. */
import { LRUCache } from 'lru-cache'
import { equalBytes, toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'
import { formatAuthorization } from '../../proxy/l402/authorization.ts'
import { type BoughtToken, isPaid, type PaidToken } from './bought-token.ts'
import type { Offer } from './offer.ts'
import { finish, type Purse, purchase, satoshis } from './purchase.ts'
import { closeness } from './scope.ts'

/** Where a request goes. */
export interface Target {
  readonly origin: string
  /** Without query. */
  readonly path: string
}

/** A token to go on with. */
export interface Answer {
  readonly token: PaidToken
  /** Whether it was bought for this. */
  readonly bought: boolean
}

/** Stored tokens that are tried for one request before another is bought. */
const MAX_TRIED = 3
/** Servers whose tokens are kept in memory. */
const MAX_ORIGINS = 1_000
/** Paths that are kept of a token. */
const MAX_PATHS = 64
/**
 * For so long a token that was never served is not replaced by another: a server that takes the money and
 * asks again gets it once.
 */
const UNPROVEN_MS = 10 * 60_000

/** Value of `Authorization` that shows a token. */
export const authorizationOf = ({ scheme, macaroon, preimage }: PaidToken): string =>
  formatAuthorization(macaroon, preimage).replace(/^L402/, scheme)

/** Buys tokens and knows those that were bought. */
export class Buyer {
  readonly #purse: Purse
  /** What the store holds, by origin; read again before anything is bought. */
  readonly #known = new LRUCache<string, readonly BoughtToken[]>({
    max: MAX_ORIGINS,
  })
  readonly #purchases = new Map<string, Promise<PaidToken>>()

  constructor(purse: Purse) {
    this.#purse = purse
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#purse.clock.wall()
  }

  /** The token to show without being asked. */
  async find({ origin, path }: Target): Promise<PaidToken | undefined> {
    const known = this.#known.get(origin) ?? (await this.#read(origin))
    let best: { token: PaidToken; close: number } | undefined
    for (const token of known.filter(isPaid)) {
      const close = closeness(token.paths, path)
      if (
        close > (best?.close ?? 0) ||
        (best && close === best.close && isNewer(token, best.token))
      )
        best = { token, close }
    }
    return best?.token
  }

  /** The token to show after `offer` was made in spite of those in `tried`: a stored one, else a bought one. */
  async answer(offer: Offer, target: Target, tried: readonly PaidToken[]): Promise<Answer> {
    const isTried = (token: BoughtToken) => tried.some((other) => isSame(other, token))
    const last = tried.at(-1)
    if (last && isFor(last, offer, target)) await this.#giveUp(last)
    const known = await this.#read(target.origin)
    const others = known.filter(isPaid).filter((token) => !isTried(token) && isKin(token, offer))
    const [newest] = others.toSorted((a, b) => b.boughtAtMs - a.boughtAtMs)
    if (newest && tried.length < MAX_TRIED) return { token: newest, bought: false }
    return { token: await this.#buy(offer, target), bought: true }
  }

  /** Remembers that `path` was served for a token. */
  async accepted(token: PaidToken, { origin, path }: Target): Promise<void> {
    const [current = token] = (this.#known.get(origin) ?? []).filter((one) => isSame(one, token))
    const isKnown = closeness(current.paths, path) > 0
    if (current.accepted && isKnown) return
    const paths = isKnown ? current.paths : [...current.paths, path].slice(-MAX_PATHS)
    const next = { ...current, accepted: true, paths }
    this.#remember(next)
    // The answer is there and counts; without this the next one asks for a token once more.
    await this.#purse.tokens.put(next).catch(() => {})
  }

  async #giveUp(token: PaidToken): Promise<void> {
    const [current = token] = await this.#stored(token)
    if (!current.accepted && this.now() - current.boughtAtMs < UNPROVEN_MS) {
      throw refusedError(current)
    }
    await this.#purse.tokens.remove(token)
  }

  async #stored(token: BoughtToken): Promise<readonly BoughtToken[]> {
    return (await this.#read(token.origin)).filter((other) => isSame(other, token))
  }

  /** One purchase at a time for each service; whoever else wants the same waits for it. */
  #buy(offer: Offer, target: Target): Promise<PaidToken> {
    const key = JSON.stringify([target.origin, offer.service || target.path, offer.service === ''])
    const running = this.#purchases.get(key)
    if (running) return running
    const begun = this.#bought(offer, target).finally(() => this.#purchases.delete(key))
    this.#purchases.set(key, begun)
    return begun
  }

  async #bought(offer: Offer, target: Target): Promise<PaidToken> {
    const open = (await this.#read(target.origin)).filter(
      (token) => !isPaid(token) && isFor(token, offer, target),
    )
    for (const token of open) {
      const paid = await finish(this.#purse, token)
      if (paid) return this.#remember(paid)
    }
    return this.#remember(await purchase(this.#purse, offer, target))
  }

  async #read(origin: string): Promise<readonly BoughtToken[]> {
    const tokens = await this.#purse.tokens.list(origin)
    this.#known.set(origin, tokens)
    return tokens
  }

  #remember<T extends BoughtToken>(token: T): T {
    const others = (this.#known.get(token.origin) ?? []).filter((other) => !isSame(other, token))
    this.#known.set(token.origin, [...others, token])
    return token
  }
}

const isSame = (a: BoughtToken, b: BoughtToken): boolean => equalBytes(a.paymentHash, b.paymentHash)

const isNewer = (a: BoughtToken, b: BoughtToken): boolean => a.boughtAtMs > b.boughtAtMs

/** Whether a token names the service that is offered. Those that name none may open anything. */
const isKin = (token: BoughtToken, offer: Offer): boolean => token.service === offer.service

/** Whether `offer` asks for what `token` was bought for. */
const isFor = (token: BoughtToken, offer: Offer, { path }: Target): boolean =>
  isKin(token, offer) && (offer.service !== '' || token.paths.includes(path))

/** Tells that a token which was paid for opens nothing. */
export const refusedError = (token: BoughtToken): PinholeError =>
  new PinholeError(
    'ERR_PAYMENT_REFUSED',
    `${token.origin} was paid ${satoshis(token.amountMsat)} and asks for payment again (payment hash ${toHex(token.paymentHash)})`,
  )
