import { Http2Code, Http2Error } from './error.ts'

/** What the peer may still send, of one stream or of the connection (RFC 9113 §5.2). */
export class ReceiveWindow {
  readonly #size: number
  #left: number
  /** Bytes dealt with and not yet given back. */
  #owed = 0

  /** A window of `size` bytes. */
  constructor(size: number) {
    this.#size = size
    this.#left = size
  }

  /** Counts `bytes` received. Throws `Http2Error` when the peer sent more than it may. */
  take(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw new Http2Error(Http2Code.flowControlError, 'more than the window')
  }

  /** Gives `bytes` back; returns the increment to send now: 0 until a quarter of the window is owed. */
  credit(bytes: number): number {
    this.#owed += bytes
    if (this.#owed < this.#size / 4) return 0
    const increment = this.#owed
    this.#owed = 0
    this.#left += increment
    return increment
  }
}
