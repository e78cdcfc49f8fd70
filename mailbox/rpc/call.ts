/** One gRPC call on an HTTP/2 stream: what comes back, in order, with one end. */
import { GrpcCode, PinholeError, asPinholeError } from '../../src/base/errors.ts'
import { Http2Code } from '../../src/http2/error.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Http2Stream, StreamEvents, StreamFailure } from '../../src/http2/stream.ts'
import { MessageReader } from './messages.ts'
import { nodeError, streamError } from './node-error.ts'
import { readStatus, refusedByHttp } from './status.ts'

/** What a kind of call makes of its answers. */
export interface Answers {
  /** A whole message that took `bytes` on the wire; `consume` them when it has been used. */
  message(message: Uint8Array): void
  /** Received body bytes, to be given back by `Http2Stream.consume`. */
  received(bytes: number): void
  /** The call has ended, once: in order, or with an error. */
  ended(error: unknown): void
  /** What was queued to be sent has left. */
  drained(): void
}

/** Follows the headers, messages and trailers of a call. */
export class Call implements StreamEvents {
  #state: 'waiting' | 'answering' | 'ended' = 'waiting'
  #stream: Http2Stream | undefined
  #release: (() => void)[] = []
  readonly #path: string
  readonly #reader: MessageReader
  readonly #answers: Answers

  constructor(path: string, maxAnswerBytes: number, answers: Answers) {
    this.#path = path
    this.#reader = new MessageReader(maxAnswerBytes)
    this.#answers = answers
  }

  /** Whether nothing more happens. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  /** Ties the call to its stream. */
  start(stream: Http2Stream): void {
    this.#stream = stream
  }

  /** Runs `release` when the call ends: timers, listeners. */
  onEnd(release: () => void): void {
    this.#release.push(release)
  }

  /** Ends the call from this side with `error`. */
  cancel(error: unknown): void {
    this.#end(error, Http2Code.cancel)
  }

  headers(fields: readonly Field[], end: boolean): void {
    if (this.#state === 'waiting') {
      // RFC 9113 §8.1: interim answers precede the final one.
      if (!end && /^1\d\d$/.test(fields[0]?.[1] ?? '')) return
      this.#state = 'answering'
      const refusal = readStatus(fields) ?? refusedByHttp(fields)
      if (refusal && refusal.code !== GrpcCode.ok) return this.#end(nodeError(this.#path, refusal))
    }
    if (end) this.#finish(fields)
  }

  data(bytes: Uint8Array, end: boolean): void {
    if (this.#state === 'ended') return
    this.#answers.received(bytes.length)
    try {
      for (const message of this.#reader.read(bytes)) this.#answers.message(message)
    } catch (reason) {
      return this.#end(asPinholeError(reason, 'ERR_NODE_CALL'))
    }
    if (end) this.#finish([])
  }

  drained(): void {
    this.#answers.drained()
  }

  failed(failure: StreamFailure): void {
    this.#end(streamError(this.#path, failure))
  }

  #finish(trailers: readonly Field[]): void {
    const status = readStatus(trailers)
    if (status && status.code !== GrpcCode.ok) return this.#end(nodeError(this.#path, status))
    if (!status || this.#reader.partial) {
      const what = status ? 'in the middle of a message' : 'without a status'
      return this.#end(new PinholeError('ERR_NODE_CALL', `${this.#path}: the answer ended ${what}`))
    }
    this.#end(undefined)
  }

  /** A call that is over needs no more requests either: the stream is reset unless both ends have ended. */
  #end(error: unknown, code: number = Http2Code.noError): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    for (const release of this.#release) release()
    const stream = this.#stream
    if (stream && !(stream.localClosed && stream.remoteClosed)) stream.reset(code)
    this.#answers.ended(error)
  }
}
