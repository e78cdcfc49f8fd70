import { PinholeError } from '../../src/base/errors.ts'
import type { Http2Stream } from '../../src/http2/stream.ts'
import type { Answers } from './call.ts'

/** One answer as a promise. */
export class UnaryAnswer implements Answers {
  stream: Http2Stream | undefined
  #message: Uint8Array | undefined
  #count = 0
  readonly #path: string
  readonly #resolve: (message: Uint8Array) => void
  readonly #reject: (error: unknown) => void

  constructor(
    path: string,
    resolve: (message: Uint8Array) => void,
    reject: (error: unknown) => void,
  ) {
    this.#path = path
    this.#resolve = resolve
    this.#reject = reject
  }

  message(message: Uint8Array): void {
    this.#message = message
    this.#count++
  }

  received(bytes: number): void {
    this.stream?.consume(bytes)
  }

  ended(error: unknown): void {
    if (error !== undefined) return this.#reject(error)
    if (this.#message && this.#count === 1) return this.#resolve(this.#message)
    const what = `${this.#path}: ${this.#count} answers in place of one`
    this.#reject(new PinholeError('ERR_NODE_CALL', what))
  }

  drained(): void {}
}
