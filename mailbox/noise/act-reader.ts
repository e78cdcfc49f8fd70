import { PinholeError } from '../../src/base/errors.ts'

/** The bytes of one act from front to back. */
export class ActReader {
  #at = 0
  readonly #bytes: Uint8Array
  readonly #act: number

  constructor(bytes: Uint8Array, act: number) {
    this.#bytes = bytes
    this.#act = act
  }

  /** Bytes not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** The next `length` bytes, not copied; `ERR_NOISE_ACT` when there are fewer. */
  take(length: number): Uint8Array {
    if (this.left < length) throw this.broken(`ends ${length - this.left} bytes early`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** `ERR_NOISE_ACT` unless everything has been read. */
  end(): void {
    if (this.left > 0) throw this.broken(`has ${this.left} bytes too many`)
  }

  /** The error that says that this act is `what`. */
  broken(what: string): PinholeError {
    return new PinholeError('ERR_NOISE_ACT', `act ${this.#act} of the peer ${what}`)
  }

  /** The error that says that `part` of this act was sealed with other keys. */
  unreadable(part: string): PinholeError {
    return new PinholeError(
      'ERR_NOISE_DECRYPT',
      `the ${part} in act ${this.#act} of the peer does not open with our keys`,
    )
  }
}
