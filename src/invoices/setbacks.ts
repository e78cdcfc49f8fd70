/** How long to leave something alone that has failed. */
import { backoffMs, type BackoffBounds } from '../../mailbox/transport/backoff.ts'

/** Before more invoices are made ahead. */
const REFILL: BackoffBounds = { firstMs: 1_000, maxMs: 60_000 }

/** The failures in a row of one node or store. */
export class Setbacks {
  readonly #random: () => number
  #count = 0
  /** No try before this time (`Clock.now()`). */
  retryAt = -Infinity
  /** Why the last one failed. */
  reason: unknown

  constructor(random: () => number) {
    this.#random = random
  }

  /** Takes in a failure. Many at once are one: returns whether this is another, after which the wait is longer. */
  add(reason: unknown, now: number): boolean {
    this.reason = reason
    if (now < this.retryAt) return false
    this.retryAt = now + backoffMs(this.#count++, REFILL, this.#random)
    return true
  }

  /** It works again. */
  over(): void {
    this.#count = 0
    this.retryAt = -Infinity
  }
}
