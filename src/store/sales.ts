/** Tells of sales as they reach the disk. */
import type { NewToken } from '../../proxy/token-store.ts'
import type { Log } from '../base/log.ts'
import type { Transaction } from './transactions.ts'

/** What was sold of a token: all but its secrets. */
export type Offer = Pick<NewToken, 'tokenId' | 'service' | 'priceMsat' | 'createdAtMs'>

/** Whoever wants to hear of sales; the returned functions end that. */
export interface SaleFeed {
  /** Each offer, once it would survive a crash. */
  onOffered(listener: (offer: Offer) => void): () => void
  /** Each payment, once, when it would survive a crash; whatever made it known. */
  onSettled(listener: (sale: Transaction) => void): () => void
}

/** Passes on what the writers tell. */
export class Sales implements SaleFeed {
  readonly #log: Log
  readonly #offered = new Set<(offer: Offer) => void>()
  readonly #settled = new Set<(sale: Transaction) => void>()

  constructor(log: Log) {
    this.#log = log
  }

  onOffered(listener: (offer: Offer) => void): () => void {
    this.#offered.add(listener)
    return () => this.#offered.delete(listener)
  }

  onSettled(listener: (sale: Transaction) => void): () => void {
    this.#settled.add(listener)
    return () => this.#settled.delete(listener)
  }

  /** A token was stored. */
  offered({ tokenId, service, priceMsat, createdAtMs }: NewToken): void {
    for (const listener of this.#offered) listener({ tokenId, service, priceMsat, createdAtMs })
  }

  /** `changes` rows were settled; `find` reads them when somebody listens. Never throws. */
  settled(changes: number, find: () => readonly Transaction[]): void {
    if (changes === 0 || this.#settled.size === 0) return
    try {
      for (const sale of find()) for (const listener of this.#settled) listener(sale)
    } catch (error) {
      this.#log.error({ error }, 'a payment could not be told of')
    }
  }
}
