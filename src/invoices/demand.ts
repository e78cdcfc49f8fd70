/** How much is asked for while one invoice is being made: what a pool must hold so that nobody waits. */

/** Assumed before a node's first answer. */
const UNKNOWN_MS = 500

/** A node on the same machine answers sooner than this; shorter spans measure bursts, not demand. */
const MIN_LEAD_MS = 50

/** A node that takes longer is in trouble; more invoices at once would not help it. */
const MAX_LEAD_MS = 5_000

/** Running estimate of how long a node takes to make an invoice (as RFC 6298 does for a round trip). */
export class LeadTime {
  #smoothed = UNKNOWN_MS
  #deviation = 0
  #guessed = true

  /** Takes in what one invoice took, in milliseconds. */
  measured(ms: number): void {
    if (this.#guessed) {
      this.#guessed = false
      this.#smoothed = ms
      this.#deviation = ms / 2
      return
    }
    this.#deviation += (Math.abs(ms - this.#smoothed) - this.#deviation) / 4
    this.#smoothed += (ms - this.#smoothed) / 8
  }

  /** What few invoices take longer than, in milliseconds. */
  get ms(): number {
    const estimate = this.#smoothed + 2 * this.#deviation
    return Math.min(MAX_LEAD_MS, Math.max(MIN_LEAD_MS, estimate))
  }
}

/**
 * Demand is counted over spans of a quarter of the lead time: a burst from nothing is seen within 75 ms of
 * a node that is 300 ms away, before its first answer, and the busiest span covers the usual unevenness.
 */
const SPANS = 4

/** The busiest span counts half as much after this long without another such. */
const HALF_LIFE_MS = 30_000

/** How often one price is asked for. */
export class Demand {
  #spanAt = -Infinity
  #inSpan = 0
  #peak = 0
  #peakAt = 0
  /** When it was asked for last. */
  askedAt = -Infinity

  /** Takes in one request. */
  asked(leadMs: number, now: number): void {
    this.askedAt = now
    if (now - this.#spanAt >= leadMs / SPANS) {
      this.#spanAt = now
      this.#inSpan = 0
    }
    this.#inSpan++
    const demand = this.#inSpan * SPANS
    if (demand < this.perLead(now)) return
    this.#peak = demand
    this.#peakAt = now
  }

  /** Requests to expect within one lead time. */
  perLead(now: number): number {
    return this.#peak * 0.5 ** ((now - this.#peakAt) / HALF_LIFE_MS)
  }
}
