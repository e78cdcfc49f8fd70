/** How many paid requests each service has served, minute by minute, since the hub's start. */
import type { Clock } from '../base/clock.ts'

const MINUTE_MS = 60_000
/** Minutes kept in all, over all services: a week of ten busy ones, in about 10 MB. */
const MAX_MINUTES = 100_000

/** Paid requests in one minute. */
interface Minute {
  readonly atMs: number
  readonly service: string
  count: number
}

/** Counts uses. */
export class UseCounts {
  readonly #clock: Clock
  /** In the order of time; the last one of each service is the one that counts. */
  #minutes: Minute[] = []
  readonly #last = new Map<string, Minute>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A paid request of `service`. */
  add(service: string): void {
    const atMs = Math.floor(this.#clock.wall() / MINUTE_MS) * MINUTE_MS
    const last = this.#last.get(service)
    if (last?.atMs === atMs) {
      last.count++
      return
    }
    const minute = { atMs, service, count: 1 }
    this.#last.set(service, minute)
    this.#minutes.push(minute)
    if (this.#minutes.length > MAX_MINUTES) this.#minutes = this.#minutes.slice(MAX_MINUTES / 2)
  }

  /** Counts by service and beginning of the step, of minutes that begin in the span. */
  *between(fromMs: number, toMs: number, stepMs: number): Generator<Readonly<Minute>> {
    for (const { atMs, service, count } of this.#minutes) {
      if (atMs < Math.floor(fromMs / MINUTE_MS) * MINUTE_MS || atMs > toMs) continue
      yield { atMs: Math.floor(atMs / stepMs) * stepMs, service, count }
    }
  }
}
