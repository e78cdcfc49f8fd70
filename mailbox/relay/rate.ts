/** Token bucket of one box (`hashmail.messagerate`, `hashmail.messageburstallowance`). Pure. */
export class MessageRate {
  readonly #everyMs: number
  readonly #burst: number
  #tokens: number
  #filledAt: number

  constructor(everyMs: number, burst: number, nowMs: number) {
    this.#everyMs = everyMs
    this.#burst = burst
    this.#tokens = burst
    this.#filledAt = nowMs
  }

  /** Takes one token and returns 0, or takes none and returns how many milliseconds to wait. */
  take(nowMs: number): number {
    const gained = (nowMs - this.#filledAt) / this.#everyMs
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#filledAt = nowMs
    if (this.#tokens < 1) return Math.max(1, (1 - this.#tokens) * this.#everyMs)
    this.#tokens--
    return 0
  }
}
