/**
 * How long an answer takes, and so when to resend.
 *
 * Deviation from LNC §9.3, which waits max(1000 ms, 5 × response time): a healthy mailbox loses nothing,
 * so what matters is to be quick after a real loss without ever resending needlessly. The estimate is
 * that of RFC 6298 (smoothed time plus four deviations), never below twice the smoothed time.
 */

/** Shortest wait for an answer before a resend. */
export const MIN_RESEND_MS = 300

/** Longest wait between two resends: the bound of every stall. */
export const MAX_RESEND_MS = 6000

/** Each resend in a row waits this much longer. */
const BACK_OFF = 1.5

/** What a slow uplink (about 1 Mbit/s) may take for bytes that are already on their way, at most 2,400 ms. */
const BYTES_PER_MS = 128
const MAX_UPLINK_MS = 2_400

/** Packets that may be outstanding at first; one more for each answer in time. */
export const FIRST_PACKETS = 8
const LEAST_PACKETS = 2
/** An answer that comes so much later than the quickest has waited in a queue of our own: one packet fewer may be. */
const MAX_QUEUE_MS = 1_500

/** Assumed before anything was measured. */
const UNKNOWN_MS = 500

/** A handshake that was repeated measures too long; more than this is not believed. */
const MAX_HANDSHAKE_MS = 1000

/** Running estimate of the round trip. All times in milliseconds. */
export class RoundTrip {
  #smoothed: number
  #deviation: number
  #shortest: number
  #quickest = Infinity
  #packets = FIRST_PACKETS
  #resends = 0
  #guessed = true

  /** @param handshakeMs what the handshake took, or too much when it was repeated */
  constructor(handshakeMs = UNKNOWN_MS) {
    this.#smoothed = Math.min(handshakeMs, MAX_HANDSHAKE_MS)
    this.#deviation = this.#smoothed / 2
    this.#shortest = this.#smoothed
  }

  /** Time in which no answer can have come yet. */
  get shortestMs(): number {
    return this.#shortest
  }

  /**
   * Packets that may be outstanding, whatever the window. Deviation: Go fills the window at once, which on a slow
   * uplink is a queue of many seconds; what is sent again by then only makes it longer.
   */
  get packets(): number {
    return this.#packets
  }

  /** The smoothed time. */
  get smoothedMs(): number {
    return this.#smoothed
  }

  /** Takes in one measurement of a packet that was sent once only (Karn). */
  measured(ms: number): void {
    this.#quickest = Math.min(this.#quickest, ms)
    if (ms <= this.#quickest + MAX_QUEUE_MS) this.#packets++
    else this.#packets = Math.max(LEAST_PACKETS, this.#packets - 1)
    if (this.#guessed) {
      // RFC 6298 §2.2: the first measurement.
      this.#guessed = false
      this.#smoothed = this.#shortest = ms
      this.#deviation = ms / 2
      return
    }
    this.#deviation += (Math.abs(ms - this.#smoothed) - this.#deviation) / 4
    this.#smoothed += (ms - this.#smoothed) / 8
    this.#shortest = Math.min(ms, this.#shortest + (ms - this.#shortest) / 16)
  }

  /** A resend went out by the timer: the next one waits longer. */
  resent(): void {
    this.#resends++
  }

  /** The peer acknowledged something new: no need to wait longer any more. */
  progressed(): void {
    this.#resends = 0
  }

  /** How long to wait for progress while `bytes` are on their way. */
  resendMs(bytes: number): number {
    const floor = MIN_RESEND_MS + Math.min(MAX_UPLINK_MS, bytes / BYTES_PER_MS)
    const estimate = Math.max(2 * this.#smoothed, this.#smoothed + 4 * this.#deviation)
    return Math.min(MAX_RESEND_MS, Math.max(floor, estimate) * BACK_OFF ** this.#resends)
  }
}
