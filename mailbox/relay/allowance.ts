/** A number of bytes that may be in use at once, with a queue of those who wait for some. Pure. */

/** Somebody who waits for bytes. */
export interface Waiter {
  /** There may be enough now: ask again. */
  resume(): void
}

export class Allowance {
  /** Bytes in use. */
  used = 0
  /** Most bytes that may be in use. */
  readonly max: number
  readonly #waiting = new Map<Waiter, number>()

  constructor(max: number) {
    this.max = max
  }

  /** Whether `bytes` more may be taken. */
  fits(bytes: number): boolean {
    return this.used + bytes <= this.max
  }

  /** Takes `bytes`; the caller has asked `fits`. */
  take(bytes: number): void {
    this.used += bytes
  }

  /** Gives `bytes` back and wakes who waits, first come first served. */
  give(bytes: number): void {
    this.used -= bytes
    for (const [waiter, needed] of this.#waiting) {
      if (!this.fits(needed)) return
      this.#waiting.delete(waiter)
      waiter.resume()
    }
  }

  /** Has `waiter` resumed once `bytes` fit. */
  wait(waiter: Waiter, bytes: number): void {
    this.#waiting.set(waiter, bytes)
  }

  /** `waiter` waits no longer. */
  forget(waiter: Waiter): void {
    this.#waiting.delete(waiter)
  }
}
