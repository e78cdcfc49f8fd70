/**
 * How soon the next client is let in when those before came to nothing. Whoever knows the ids of the boxes, as the relay
 * does, can open connections and send nonsense, or the first act of an earlier client: each costs us a handshake and a
 * line of the log, and him a few bytes. Pure.
 */

/** So many in a row are no reason to wait: somebody may be on a bad line. */
const FREE_FAILURES = 10
const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 1000

export class Patience {
  #failures = 0

  /** Milliseconds to wait before the next client. */
  get waitMs(): number {
    const beyond = this.#failures - FREE_FAILURES
    return beyond <= 0 ? 0 : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (beyond - 1))
  }

  /** A client has left without a word that it alone could say. */
  failed(): void {
    this.#failures++
  }

  /** A client has shown that it has the keys. */
  proved(): void {
    this.#failures = 0
  }
}
