/** A link between two Go-Back-N cores in virtual time: loses, doubles, displaces and delays packets. */

/** Deterministic random numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Things to happen at times, in order of time and then of entry. */
export class Agenda {
  now = 0
  #heap: { at: number; order: number; action: () => void }[] = []
  #order = 0

  at(at: number, action: () => void): void {
    const heap = this.#heap
    let i = heap.push({ at, order: this.#order++, action }) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#before(i, parent)) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** Does the next thing; false when there is none. */
  next(): boolean {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last) return false
    if (heap.length > 0) {
      heap[0] = last
      for (let i = 0; ;) {
        let least = i
        for (const child of [2 * i + 1, 2 * i + 2]) {
          if (child < heap.length && this.#before(child, least)) least = child
        }
        if (least === i) break
        this.#swap(i, least)
        i = least
      }
    }
    this.now = Math.max(this.now, first.at)
    first.action()
    return true
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]]
    return !!a && !!b && (a.at < b.at || (a.at === b.at && a.order < b.order))
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]]
    if (a && b) [this.#heap[i], this.#heap[j]] = [b, a]
  }
}

/** How bad one direction is. */
export interface Weather {
  /** Shares of packets, 0 to 1. */
  readonly loss: number
  readonly duplication: number
  readonly displacement: number
  /** One way, in milliseconds; `jitterMs` more at most, which keeps the order. */
  readonly delayMs: number
  readonly jitterMs: number
}

/**
 * A packet is overtaken by at most this many others, and is late by at most `MAX_LATE_MS`: window 20 and
 * modulus 21 leave no room for more (with a full window a late ACK looks like a new one), which is why
 * Go-Back-N needs a link that keeps order, as the mailbox does.
 */
const MAX_DISPLACEMENT = 5
const MAX_LATE_MS = 200

interface Held {
  readonly packet: Uint8Array
  left: number
  released: boolean
}

/** One direction. */
export class Direction {
  lost = 0
  readonly #agenda: Agenda
  readonly #random: () => number
  readonly #weather: Weather
  readonly #deliver: (packet: Uint8Array) => void
  #lastArrival = 0
  #held: Held[] = []

  constructor(
    agenda: Agenda,
    random: () => number,
    weather: Weather,
    deliver: (packet: Uint8Array) => void,
  ) {
    this.#agenda = agenda
    this.#random = random
    this.#weather = weather
    this.#deliver = deliver
  }

  send(packet: Uint8Array): void {
    const { loss, duplication, displacement, delayMs, jitterMs } = this.#weather
    const arrival = this.#agenda.now + delayMs + this.#random() * jitterMs
    this.#lastArrival = Math.max(this.#lastArrival, arrival)
    const at = this.#lastArrival
    const overtaken = this.#held
    if (this.#random() < loss) this.lost++
    else if (this.#random() < displacement) this.#hold(packet, at)
    else this.#agenda.at(at, () => this.#deliver(packet))
    if (this.#random() < duplication) this.#hold(packet, at)
    for (const held of overtaken) {
      if (--held.left === 0) this.#agenda.at(at, () => this.#release(held))
    }
    this.#held = this.#held.filter((held) => held.left > 0 && !held.released)
  }

  #hold(packet: Uint8Array, at: number): void {
    const left = 1 + Math.floor(this.#random() * MAX_DISPLACEMENT)
    const held: Held = { packet, left, released: false }
    this.#held = [...this.#held, held]
    this.#agenda.at(at + MAX_LATE_MS, () => this.#release(held))
  }

  #release(held: Held): void {
    if (held.released) return
    held.released = true
    this.#deliver(held.packet)
  }
}
