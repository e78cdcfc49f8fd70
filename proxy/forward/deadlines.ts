/**
 * Looks after the times of all running requests in one sweep, so that a request costs no timer of its own.
 * A limit is noticed late by up to two sweeps, an eighth of the shortest limit each.
 */
import type { Clock } from '../../src/base/clock.ts'

/** Something that may last too long. */
export interface Watched {
  /** Called at each sweep. */
  check(nowMs: number): void
  /** Its neighbours while it is watched; for `Deadlines` alone. */
  before: Watched | undefined
  after: Watched | undefined
}

const MIN_SWEEP_MS = 5
const MAX_SWEEP_MS = 1_000
const SWEEPS_PER_LIMIT = 8

/**
 * The running requests and the sweep over them. They are linked in a chain, for what a `Set` lets go of stays
 * in its discarded tables: nearly every request then outlived its collection as garbage of the young
 * generation, and collections took ten times as long.
 */
export class Deadlines {
  readonly #clock: Clock
  #first: Watched | undefined
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
    item.after = this.#first
    if (this.#first) this.#first.before = item
    this.#first = item
    if (!this.#cancel) this.#arm()
  }

  /** Forgets an item; one that is not watched stays as it is. */
  delete(item: Watched): void {
    const { before, after } = item
    if (before) before.after = after
    else if (this.#first === item) this.#first = after
    if (after) after.before = before
    item.before = item.after = undefined
  }

  /** Ends the sweeps. */
  close(): void {
    this.#first = undefined
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm(): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(this.#everyMs, () => {
      this.#cancel = undefined
      const now = this.#clock.now()
      for (const item of this.#all()) item.check(now)
      if (this.#first) this.#arm()
    })
  }

  /** As they are now: a check may take any of them out. */
  #all(): Watched[] {
    const all: Watched[] = []
    for (let item = this.#first; item; item = item.after) all.push(item)
    return all
  }
}
