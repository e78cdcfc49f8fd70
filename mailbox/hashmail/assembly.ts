/** First piece of memory for a message that comes in several chunks; it doubles as the bytes arrive. */
const FIRST_PIECE_BYTES = 65_536

/** Memory that is written before it is read: under Node it need not be zeroed first. */
const memory: (length: number) => Uint8Array =
  typeof Buffer === 'undefined'
    ? (length) => new Uint8Array(length)
    : (length) => Buffer.allocUnsafeSlow(length)

/**
 * Puts a message together whose length is announced before its bytes. Memory grows with what has arrived,
 * so that an announcement alone costs nothing. Runs in a browser.
 */
export class Assembly {
  readonly #length: number
  #bytes: Uint8Array
  #filled = 0

  constructor(length: number) {
    this.#length = length
    this.#bytes = memory(Math.min(length, FIRST_PIECE_BYTES))
  }

  /** Takes what belongs to the message from the start of `bytes`; returns how many that were. */
  add(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#length - this.#filled)
    const needed = this.#filled + part.length
    if (needed > this.#bytes.length) {
      const grown = memory(Math.min(this.#length, Math.max(needed, 2 * this.#bytes.length)))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(part, this.#filled)
    this.#filled = needed
    return part.length
  }

  /** The message once it is all there. */
  get message(): Uint8Array | undefined {
    return this.#filled === this.#length ? this.#bytes : undefined
  }
}
