/**
 * How many times something happened in the last stretch of time. Never too few: what happened is counted
 * for the stretch and up to a sixteenth of it longer, so that no stretch, wherever it begins, holds more
 * than were allowed (a token bucket would let twice as many through). Pure.
 */

/** Of a stretch; bounds what one count remembers. */
const SLOTS = 16

interface Slot {
  readonly index: number
  count: number
}

/** A count of the last `perMs` milliseconds. */
export class SlidingCount {
  /** Whole, so that multiples of it are exact. */
  readonly #slotMs: number
  /** Oldest first; never empty ones, at most `SLOTS + 1`. */
  #slots: Slot[] = []

  constructor(perMs: number) {
    this.#slotMs = Math.ceil(perMs / SLOTS)
  }

  /** How many count at `nowMs`. */
  at(nowMs: number): number {
    const now = Math.floor(nowMs / this.#slotMs)
    while (this.#slots[0] && this.#slots[0].index < now - SLOTS) this.#slots.shift()
    return this.#slots.reduce((sum, { count }) => sum + count, 0)
  }

  /** Milliseconds until fewer than `max` count, if nothing is added. */
  belowMs(max: number, nowMs: number): number {
    let counted = this.at(nowMs)
    let endMs = nowMs
    for (const { index, count } of this.#slots) {
      if (counted < max) break
      counted -= count
      endMs = (index + SLOTS + 1) * this.#slotMs
    }
    return endMs - nowMs
  }

  /** Counts one; the returned function takes it back, once. */
  add(nowMs: number): () => void {
    const index = Math.floor(nowMs / this.#slotMs)
    const last = this.#slots.at(-1)
    // A clock that goes back counts in the last slot.
    const slot = last && last.index >= index ? last : { index, count: 0 }
    if (slot !== last) this.#slots.push(slot)
    slot.count++
    let given = false
    return () => {
      if (given) return
      given = true
      slot.count--
      if (slot.count === 0) this.#slots = this.#slots.filter((other) => other !== slot)
    }
  }
}
