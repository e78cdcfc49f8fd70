/** Carries a request over an HTTP/2 connection, gRPC's four kinds of calls included. */
import type { Clock } from '../../src/base/clock.ts'
import { Http2Code, http2CodeName } from '../../src/http2/error.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Http2Stream, StreamEvents, StreamFailure } from '../../src/http2/stream.ts'
import { type BodySink, pumpBody } from './body-pump.ts'
import { CONTINUE_AFTER_MS } from './expect.ts'
import type { Carrier, Exchange } from './exchange.ts'
import type { Http2Connection } from './http2-connection.ts'
import { type AnswerFields, readAnswer, requestFields, trailerFields } from './http2-fields.ts'

/** Bytes of a request's body that wait for the upstream's windows, until the client has to wait. */
const MAX_QUEUED_BYTES = 65_536
const NOTHING = new Uint8Array(0)

/** Sends the request of `exchange`; `retry` is called in place of failing when nothing can have happened. */
export function sendHttp2(
  connection: Http2Connection,
  exchange: Exchange,
  clock: Clock,
  retry: () => void,
): void {
  new Http2Request(connection, exchange, clock, retry)
}

class Http2Request implements Carrier, StreamEvents, BodySink {
  readonly #connection: Http2Connection
  readonly #exchange: Exchange
  readonly #retry: () => void
  readonly #stream: Http2Stream
  #stopPump = () => {}
  #cancelContinue = () => {}
  #onDrain: (() => void) | undefined
  #isPumping = false
  #isSent = false
  #isAnswered = false
  #isDone = false
  /** Bytes of the answer that the client has not taken, and the upstream may not replace. */
  #held = 0
  /** Bytes of the answer's body that are still to come, where its length is known. */
  #awaited: number | undefined

  constructor(connection: Http2Connection, exchange: Exchange, clock: Clock, retry: () => void) {
    this.#connection = connection
    this.#exchange = exchange
    this.#retry = retry
    const { outgoing } = exchange
    const fields = requestFields(outgoing, connection.scheme)
    this.#stream = connection.request(fields, this, !outgoing.hasBody)
    if (!outgoing.hasBody) {
      this.#isSent = true
      exchange.sent()
    } else if (outgoing.expectsContinue) {
      this.#cancelContinue = clock.after(CONTINUE_AFTER_MS, () => this.#pump())
    } else this.#pump()
    exchange.carriedBy(this)
  }

  abort(): void {
    this.#release()
    if (this.#isDone) return
    this.#finish()
    this.#stream.reset(Http2Code.cancel)
  }

  resume(): void {
    this.#release()
  }

  /** Of `BodySink`. */
  write(piece: Buffer): boolean {
    this.#stream.send(piece, false)
    return this.#stream.queued < MAX_QUEUED_BYTES
  }

  on(_event: 'drain', listener: () => void): void {
    this.#onDrain = listener
  }

  off(): void {
    this.#onDrain = undefined
  }

  /** Of `StreamEvents`. */
  headers(fields: readonly Field[], end: boolean): void {
    if (this.#isDone) return
    const answer = readAnswer(fields)
    if (!answer) return this.#break('a malformed header list')
    if (this.#isAnswered) this.#trailers(answer, end)
    else if (answer.status >= 200) this.#head(answer, end)
    else if (answer.status === 0 || end) this.#break('an answer without a status')
    else if (answer.status === 100) this.#pump()
    else this.#exchange.info(answer.status, answer.raw)
  }

  data(bytes: Uint8Array, end: boolean): void {
    if (this.#isDone) return
    if (!this.#isAnswered) return this.#break('a body before its head')
    if (this.#awaited !== undefined) {
      this.#awaited -= bytes.length
      if (this.#awaited < 0) return this.#break('more than its content-length')
    }
    const { length, byteOffset, buffer } = bytes
    if (length > 0) {
      this.#held += length
      if (this.#exchange.data(Buffer.from(buffer, byteOffset, length))) this.#release()
    }
    if (end) this.#ended([])
  }

  drained(): void {
    this.#onDrain?.()
  }

  failed(failure: StreamFailure): void {
    if (this.#isDone) return
    this.#finish()
    const { hasBody } = this.#exchange.outgoing
    // RFC 9113 §8.7: a refused stream was not looked at.
    if (failure.kind === 'refused' && !hasBody && !this.#isAnswered) this.#retry()
    else this.#exchange.fail(this.#connection.reason ?? new Error(nameOf(failure)))
  }

  #pump(): void {
    this.#cancelContinue()
    if (this.#isDone || this.#isPumping || !this.#exchange.outgoing.hasBody) return
    this.#isPumping = true
    const { reply, outgoing } = this.#exchange
    this.#exchange.sending()
    this.#stopPump = pumpBody(reply.body, this, {
      moved: () => this.#exchange.moved(),
      ended: () => {
        if (!reply.isBodyWhole()) return
        this.#isSent = true
        const trailers = outgoing.headers.trailers(reply.requestTrailers())
        if (trailers.length > 0) this.#stream.finish(trailerFields(trailers))
        else this.#stream.send(NOTHING, true)
        this.#exchange.sent()
      },
    })
  }

  #head({ status, raw, length }: AnswerFields, end: boolean): void {
    this.#cancelContinue()
    this.#isAnswered = true
    const { method } = this.#exchange.outgoing
    // RFC 9110 §8.6: of these it is the length that a body would have.
    if (method !== 'HEAD' && status !== 304) this.#awaited = length
    if (end && this.#awaited) return this.#break('less than its content-length')
    this.#exchange.head(status, '', raw, end)
    if (end) this.#ended([])
  }

  #trailers({ status, raw }: AnswerFields, end: boolean): void {
    if (!end || status !== 0) return this.#break('a second head')
    this.#ended(raw)
  }

  #ended(trailers: readonly string[]): void {
    // The client may have gone while it was given the last piece.
    if (this.#isDone) return
    if (this.#awaited) return this.#break('less than its content-length')
    this.#finish()
    // What the upstream does not want of the body is not sent.
    if (!this.#isSent) this.#stream.reset(Http2Code.noError)
    this.#exchange.end(trailers)
  }

  /** RFC 9113 §8.1.1: a malformed answer costs its stream. */
  #break(what: string): void {
    this.#finish()
    this.#stream.reset(Http2Code.protocolError)
    this.#exchange.fail(new Error(`the upstream sent ${what}`))
  }

  /** Lets the upstream send as much again as the client has taken. */
  #release(): void {
    if (this.#held > 0) this.#stream.consume(this.#held)
    this.#held = 0
  }

  #finish(): void {
    this.#isDone = true
    this.#cancelContinue()
    if (this.#isPumping) this.#stopPump()
  }
}

function nameOf(failure: StreamFailure): string {
  if (failure.kind === 'reset') return `stream reset (${http2CodeName(failure.code)})`
  return failure.kind === 'refused' ? 'stream refused' : 'the connection was lost'
}
