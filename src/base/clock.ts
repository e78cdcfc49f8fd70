/**
 * Where time comes from. Everything that waits or measures takes a `Clock`, so that a test owns time.
 */
export interface Clock {
  /** Milliseconds from an arbitrary start; never goes back. */
  now(): number
  /** Wall time in milliseconds since 1970, for stamps and expiry dates. */
  wall(): number
  /** Runs `action` once after `delayMs`; the returned function cancels it. A timer never keeps the process alive. */
  after(delayMs: number, action: () => void): () => void
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, action) {
    let timer: unknown
    const wait = (leftMs: number): void => {
      const isLast = leftMs <= MAX_TIMER_MS
      const next = isLast ? action : () => wait(leftMs - MAX_TIMER_MS)
      timer = setTimeout(next, isLast ? Math.max(0, leftMs) : MAX_TIMER_MS)
      if (typeof timer === 'object' && timer !== null && 'unref' in timer) {
        ;(timer as { unref(): void }).unref()
      }
    }
    wait(delayMs)
    return () => clearTimeout(timer as number)
  },
}

/** A timer that is set for longer, 24.9 days, fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A clock that stands still until `advance` is called; timers fire in order of their time. */
export class ManualClock implements Clock {
  #now = 0
  readonly #startMs: number
  #timers: { at: number; order: number; action: () => void }[] = []
  #order = 0

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#startMs + this.#now
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, action }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Time of the next timer, or `undefined` when none is set. */
  next(): number | undefined {
    return this.#first()?.at
  }

  /** Moves time on by `ms` and fires what falls due, including timers set meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let timer = this.#first(); timer && timer.at <= end; timer = this.#first()) {
      this.#timers.splice(this.#timers.indexOf(timer), 1)
      this.#now = Math.max(this.#now, timer.at)
      timer.action()
    }
    this.#now = end
  }

  #first(): { at: number; order: number; action: () => void } | undefined {
    let first = this.#timers[0]
    for (const timer of this.#timers) {
      if (first && (timer.at < first.at || (timer.at === first.at && timer.order < first.order))) {
        first = timer
      }
    }
    return first
  }
}
