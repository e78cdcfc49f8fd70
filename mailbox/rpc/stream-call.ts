import type { Http2Stream } from '../../src/http2/stream.ts'
import type { Answers } from './call.ts'

type Result = IteratorResult<Uint8Array, undefined>

interface Reader {
  resolve(result: Result): void
  reject(error: unknown): void
}

const DONE: Result = { done: true, value: undefined }

/**
 * Answers as an async iterator. The node may send on as far as its window reaches; beyond that it waits
 * until answers have been taken.
 */
export class StreamAnswers implements Answers, AsyncIterableIterator<Uint8Array> {
  stream: Http2Stream | undefined
  #queue: Uint8Array[] = []
  #readers: Reader[] = []
  #unused = 0
  #end: { readonly error: unknown } | undefined
  #wakeSender: (() => void) | undefined
  readonly #cancel: () => void

  /** `cancel` ends the call when the consumer leaves. */
  constructor(cancel: () => void) {
    this.#cancel = cancel
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    const message = this.#queue.shift()
    if (message) {
      if (this.#queue.length === 0) this.#giveBack()
      return Promise.resolve({ done: false, value: message })
    }
    this.#giveBack()
    const end = this.#end
    if (!end) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
    this.#end = { error: undefined }
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an abort reason may be anything
    return end.error === undefined ? Promise.resolve(DONE) : Promise.reject(end.error)
  }

  return(): Promise<Result> {
    this.#cancel()
    this.#queue = []
    this.#end = { error: undefined }
    return Promise.resolve(DONE)
  }

  message(message: Uint8Array): void {
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ done: false, value: message })
    else this.#queue.push(message)
  }

  received(bytes: number): void {
    this.#unused += bytes
    if (this.#queue.length === 0) this.#giveBack()
  }

  ended(error: unknown): void {
    this.#end = { error }
    this.#giveBack()
    this.drained()
    const [first, ...others] = this.#readers
    this.#readers = []
    if (first && error !== undefined) first.reject(error)
    else first?.resolve(DONE)
    if (first) this.#end = { error: undefined }
    for (const reader of others) reader.resolve(DONE)
  }

  drained(): void {
    this.#wakeSender?.()
    this.#wakeSender = undefined
  }

  /** Resolves at the next `drained`, or at the end of the call. */
  sent(): Promise<void> {
    return new Promise((resolve) => (this.#wakeSender = resolve))
  }

  #giveBack(): void {
    if (this.#unused > 0) this.stream?.consume(this.#unused)
    this.#unused = 0
  }
}
