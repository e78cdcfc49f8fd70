/** What happens in a hub, told to whoever listens. Nobody who reads slowly makes it wait, or remember. */
import type { Clock } from '../base/clock.ts'
import type { HubEvent } from './contract.ts'

/** Events kept for one reader; a reader that is further behind is dropped. */
const MAX_BEHIND = 1_024
/** Readers at once; another takes the place of the first one. */
const MAX_READERS = 64
/** Sales and uses told in a second, of each kind: more than anybody can watch. Totals are in `getSeries`. */
const MAX_PER_SECOND = 50
const SECOND_MS = 1_000

type Kind = HubEvent['type']

/** An event before its time is noted. */
export type Happening = HubEvent extends infer Event
  ? Event extends HubEvent
    ? Omit<Event, 'at'>
    : never
  : never

/** Told of what happens, tells its readers. */
export class HubEvents {
  readonly #clock: Clock
  readonly #readers = new Set<Reader>()
  readonly #told = new Map<Kind, { readonly second: number; count: number }>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether anybody listens. */
  get heard(): boolean {
    return this.#readers.size > 0
  }

  /** Tells all readers. Never throws. */
  tell(happening: Happening): void {
    if (!this.heard || this.#tooMany(happening.type)) return
    const event: HubEvent = { ...happening, at: new Date(this.#clock.wall()).toISOString() }
    for (const reader of this.#readers) reader.add(event)
  }

  /** Everything from now on; ends when `signal` is aborted, the reader is dropped or the hub closes. */
  read(signal: AbortSignal): AsyncIterableIterator<HubEvent, undefined> {
    const reader = new Reader(() => {
      this.#readers.delete(reader)
      signal.removeEventListener('abort', reader.end)
    })
    if (this.#closed || signal.aborted) {
      reader.end()
      return reader
    }
    signal.addEventListener('abort', reader.end)
    const [first] = this.#readers
    if (this.#readers.size >= MAX_READERS) first?.end()
    this.#readers.add(reader)
    return reader
  }

  /** Ends all streams, and those that are asked for later. */
  close(): void {
    this.#closed = true
    for (const reader of [...this.#readers]) reader.end()
  }

  #tooMany(kind: Kind): boolean {
    if (kind !== 'offered' && kind !== 'used' && kind !== 'settled') return false
    const second = Math.floor(this.#clock.now() / SECOND_MS)
    const told = this.#told.get(kind)
    if (told?.second === second) return ++told.count > MAX_PER_SECOND
    this.#told.set(kind, { second, count: 1 })
    return false
  }
}

type Result = IteratorResult<HubEvent, undefined>
const ENDED: Result = { done: true, value: undefined }

/** One who listens. */
class Reader implements AsyncIterableIterator<HubEvent, undefined> {
  readonly #onEnd: () => void
  #events: HubEvent[] = []
  #waiting: ((result: Result) => void) | undefined
  #ended = false

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  add(event: HubEvent): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) return waiting({ done: false, value: event })
    this.#events.push(event)
    if (this.#events.length <= MAX_BEHIND) return
    this.#events = []
    this.end()
  }

  /** What it has not read yet still comes, unless it was dropped. */
  readonly end = (): void => {
    if (this.#ended) return
    this.#ended = true
    this.#waiting?.(ENDED)
    this.#onEnd()
  }

  next(): Promise<Result> {
    const value = this.#events.shift()
    if (value) return Promise.resolve({ done: false, value })
    if (this.#ended) return Promise.resolve(ENDED)
    return new Promise((resolve) => (this.#waiting = resolve))
  }

  return(): Promise<Result> {
    this.#events = []
    this.end()
    return Promise.resolve(ENDED)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
