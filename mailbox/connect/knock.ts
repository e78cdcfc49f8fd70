/** One knock at a door: says when nobody answers, and breaks off when the other door should be tried. */
import type { Clock } from '../../src/base/clock.ts'
import type { SymptomKind } from './symptom.ts'

/** What a knock is made of. */
export interface KnockOptions {
  /** Whether there is another door. */
  readonly other: boolean
  readonly clock: Clock
  /** Ends the knock from outside. */
  readonly signal: AbortSignal
  /** The boxes are there, and nobody has answered for a while. */
  readonly onSilent: () => void
}

/** Why an attempt was broken off to try the other door. */
export const OTHER_DOOR = Symbol('other door')

/** How long one door may stay without a box, or without an answer, before the other is tried. */
const OTHER_DOOR_MS: Partial<Record<SymptomKind, number>> = { 'not-found': 200, silent: 2500 }

/** How long boxes must stay open to be there: a relay says no a round trip after a stream was opened, and never yes. */
const SILENT_MS = 1000

export class Knock {
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  readonly #options: KnockOptions
  #timers: readonly (() => void)[] = []
  #kind: SymptomKind | undefined

  constructor(options: KnockOptions) {
    this.#options = options
    this.signal = AbortSignal.any([options.signal, this.#abort.signal])
  }

  /** Takes note of what is in the way now; `silent` while it is nothing but that nobody answers. */
  troubled(kind: SymptomKind): void {
    if (kind === this.#kind) return
    this.end()
    this.#kind = kind
    const { clock, other, onSilent } = this.#options
    const otherMs = other ? OTHER_DOOR_MS[kind] : undefined
    if (kind === 'silent') this.#timers = [clock.after(SILENT_MS, onSilent)]
    if (otherMs === undefined) return
    const leave = clock.after(otherMs, () => this.#abort.abort(OTHER_DOOR))
    this.#timers = [...this.#timers, leave]
  }

  /** Somebody answered, or the attempt is over. */
  end(): void {
    for (const stop of this.#timers) stop()
    this.#timers = []
  }
}
