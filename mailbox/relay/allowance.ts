/**
 * A number of bytes that may be in use at once, with queues of those who wait for some. Pure.
 *
 * Messages that nobody reads may fill half of it only: the other half always turns over, so boxes with a
 * reader go on, however many without one are full.
 */

/** Somebody who waits for bytes. */
export interface Waiter {
  /** There may be enough now: ask again. */
  resume(): void
}

const UNREAD_SHARE = 0.5

export class Allowance {
  /** Bytes in use. */
  used = 0
  readonly #max: { readonly read: number; readonly unread: number }
  readonly #waiting = { read: new Map<Waiter, number>(), unread: new Map<Waiter, number>() }

  /** At most `max` bytes; one message of `largest` always fits into what unread ones may fill. */
  constructor(max: number, largest: number) {
    this.#max = { read: max, unread: Math.max(largest, Math.floor(max * UNREAD_SHARE)) }
  }

  /** Whether `bytes` more may be taken for a box that is read, or not. */
  fits(bytes: number, read: boolean): boolean {
    return this.used + bytes <= (read ? this.#max.read : this.#max.unread)
  }

  /** Takes `bytes`; the caller has asked `fits`. */
  take(bytes: number): void {
    this.used += bytes
  }

  /** Gives `bytes` back and wakes who waits: readers' writers first, then first come first served. */
  give(bytes: number): void {
    this.used -= bytes
    this.#wake(true)
    this.#wake(false)
  }

  /** Has `waiter` resumed once `bytes` fit. */
  wait(waiter: Waiter, bytes: number, read: boolean): void {
    this.forget(waiter)
    this.#queue(read).set(waiter, bytes)
  }

  /** `waiter` waits no longer. */
  forget(waiter: Waiter): void {
    this.#waiting.read.delete(waiter)
    this.#waiting.unread.delete(waiter)
  }

  #queue(read: boolean): Map<Waiter, number> {
    return read ? this.#waiting.read : this.#waiting.unread
  }

  #wake(read: boolean): void {
    const queue = this.#queue(read)
    for (const [waiter, needed] of queue) {
      if (!this.fits(needed, read)) return
      queue.delete(waiter)
      waiter.resume()
    }
  }
}
