/**
 * Looks after the times of all running requests in one sweep, so that a request costs no timer of its own.
 * A limit is noticed late by up to two sweeps, an eighth of the shortest limit each.
 */
import type { Clock } from '../../src/base/clock.ts'

/** Something that may last too long. */
export interface Watched {
  /** Called at each sweep. */
  check(nowMs: number): void
}

const MIN_SWEEP_MS = 5
const MAX_SWEEP_MS = 1_000
const SWEEPS_PER_LIMIT = 8

/** The running requests and the sweep over them. */
export class Deadlines {
  readonly #clock: Clock
  readonly #watched = new Set<Watched>()
  #everyMs = MAX_SWEEP_MS
  #cancel: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sweeps often enough for a limit of so many milliseconds; 0 is none. */
  observe(limitMs: number): void {
    if (limitMs <= 0) return
    const everyMs = Math.max(MIN_SWEEP_MS, Math.ceil(limitMs / SWEEPS_PER_LIMIT))
    if (everyMs >= this.#everyMs) return
    this.#everyMs = everyMs
    if (this.#cancel) this.#arm()
  }

  add(item: Watched): void {
    this.#watched.add(item)
    if (!this.#cancel) this.#arm()
  }

  delete(item: Watched): void {
    this.#watched.delete(item)
  }

  /** Ends the sweeps. */
  close(): void {
    this.#watched.clear()
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm(): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(this.#everyMs, () => {
      this.#cancel = undefined
      const now = this.#clock.now()
      for (const item of this.#watched) item.check(now)
      if (this.#watched.size > 0) this.#arm()
    })
  }
}
