/**
 * Which sessions are in use, as Aperture's gauges tell it: reads are counted on the boxes whose last byte is
 * odd (one of each session's two), and every 10 s a session with 0.5 reads/s or more is in use, one with
 * fewer is on standby. Pure but for the time it asks.
 */

/** Sessions by class. `active` is the sum of the two others. */
export interface SessionCounts {
  readonly active: number
  readonly standby: number
  readonly inUse: number
}

const WINDOW_MS = 10_000
const IN_USE_READS_PER_SECOND = 0.5
/** Sessions that are told apart in one window; more are not counted. A count takes about 100 bytes. */
const MAX_SESSIONS = 100_000

export class Activity {
  readonly #nowMs: () => number
  readonly #reads = new Map<string, number>()
  #since: number
  #last: SessionCounts = { active: 0, standby: 0, inUse: 0 }

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#since = nowMs()
  }

  /** `count` messages of box `key` were read. */
  read(key: string, count: number): void {
    if ((key.charCodeAt(key.length - 1) & 1) === 0) return
    const reads = this.#reads.get(key)
    if (reads === undefined && this.#reads.size >= MAX_SESSIONS) this.counts()
    if (reads !== undefined || this.#reads.size < MAX_SESSIONS) {
      this.#reads.set(key, (reads ?? 0) + count)
    }
  }

  /** The counts of the last whole window. */
  counts(): SessionCounts {
    const seconds = (this.#nowMs() - this.#since) / 1000
    if (seconds * 1000 < WINDOW_MS) return this.#last
    let inUse = 0
    for (const reads of this.#reads.values()) {
      if (reads / seconds >= IN_USE_READS_PER_SECOND) inUse++
    }
    const active = this.#reads.size
    this.#last = { active, standby: active - inUse, inUse }
    this.#reads.clear()
    this.#since = this.#nowMs()
    return this.#last
  }
}
