/**
 * Refused attempts by address. Who brings too many is told to wait; what is good is taken all the same: a client
 * that shares an address with an attacker, as behind a proxy, is not locked out, and nothing here can be guessed.
 */
import { addressPrefix } from '../../proxy/client-address.ts'
import { SlidingCount } from '../../proxy/sliding-count.ts'

const MAX_FAILURES = 20
const PER_MS = 60_000
/** Beyond it the address that failed longest ago is forgotten. */
const MAX_ADDRESSES = 10_000

/** What became of one more refused attempt. */
export type Attempt =
  | { readonly name: 'counted'; readonly last: boolean }
  | { readonly name: 'too many'; readonly retryAfterMs: number }

/** Counts them. Pure: the caller passes the time. */
export class Attempts {
  readonly #failures = new Map<string, SlidingCount>()

  /** Counts a refusal; `last` is the last one before the address is told to wait. */
  refused(address: string, nowMs: number): Attempt {
    const prefix = addressPrefix(address, 32, 64)
    const count = this.#failures.get(prefix) ?? new SlidingCount(PER_MS)
    this.#failures.delete(prefix)
    this.#failures.set(prefix, count)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest)
    if (count.at(nowMs) >= MAX_FAILURES) {
      return { name: 'too many', retryAfterMs: count.belowMs(MAX_FAILURES, nowMs) }
    }
    count.add(nowMs)
    return { name: 'counted', last: count.at(nowMs) === MAX_FAILURES }
  }
}
