/** Carries a request over an HTTP/2 connection, gRPC's four kinds of calls included. */
import http2, {
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Clock } from '../../src/base/clock.ts'
import { pumpBody } from './body-pump.ts'
import { CONTINUE_AFTER_MS } from './expect.ts'
import type { Carrier, Exchange } from './exchange.ts'
import { addToHttp2, fromHttp2 } from './fields.ts'
import type { Http2Connection, Http2Sessions } from './http2-sessions.ts'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants
const END_STREAM = http2.constants.NGHTTP2_FLAG_END_STREAM

type Answer = IncomingHttpHeaders & IncomingHttpStatusHeader

/** Sends the request of `exchange`; `retry` is called in place of failing when nothing can have happened. */
export function sendHttp2(
  sessions: Http2Sessions,
  connection: Http2Connection,
  exchange: Exchange,
  clock: Clock,
  retry: () => void,
): void {
  const { outgoing } = exchange
  const headers: OutgoingHttpHeaders = {
    ':method': outgoing.method,
    ':path': outgoing.path,
    ':scheme': connection.session.encrypted ? 'https' : 'http',
    ':authority': outgoing.host,
  }
  addToHttp2(headers, outgoing.fields)
  if (outgoing.length !== undefined) headers['content-length'] = outgoing.length
  if (outgoing.expectsContinue) headers.expect = '100-continue'
  if (outgoing.trailer !== undefined) headers.trailer = outgoing.trailer
  const stream = connection.session.request(headers, {
    endStream: !outgoing.hasBody,
    waitForTrailers: outgoing.hasBody,
  })
  sessions.claim(connection)
  stream.once('close', () => sessions.release(connection))
  new Http2Request(stream, exchange, clock, retry)
}

class Http2Request implements Carrier {
  readonly #stream: ClientHttp2Stream
  readonly #exchange: Exchange
  readonly #retry: () => void
  #stopPump = () => {}
  #cancelContinue = () => {}
  #isPumping = false
  #isAnswered = false
  #isDone = false
  #isWhole = false
  #trailers: readonly string[] = []

  constructor(stream: ClientHttp2Stream, exchange: Exchange, clock: Clock, retry: () => void) {
    this.#stream = stream
    this.#exchange = exchange
    this.#retry = retry
    this.#watchEnd()
    stream
      .on('headers', (headers: Answer) => this.#informed(headers))
      .on('continue', () => this.#pump())
      .once('response', (headers, flags) => this.#answered(headers, flags))
      .on('trailers', (headers: IncomingHttpHeaders) => (this.#trailers = fromHttp2(headers)))
      .on('error', (reason: Error) => this.#failed(reason))
      .once('close', () => this.#failed(new Error(`stream closed (${stream.rstCode})`)))
    if (!exchange.outgoing.hasBody) exchange.sent()
    else if (exchange.outgoing.expectsContinue) {
      this.#cancelContinue = clock.after(CONTINUE_AFTER_MS, () => this.#pump())
    } else this.#pump()
    exchange.carriedBy(this)
  }

  abort(): void {
    if (this.#isDone) return
    this.#finish()
    this.#stream.close(NGHTTP2_CANCEL)
  }

  resume(): void {
    this.#stream.resume()
  }

  /**
   * Node ends a stream that is reset with NO_ERROR or CANCEL, or whose connection is lost, as it ends a whole
   * one. But the end that a server sent comes before the stream is closed, and any other after that.
   */
  #watchEnd(): void {
    const stream = this.#stream
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true
      return push(chunk, encoding)
    }
  }

  #pump(): void {
    this.#cancelContinue()
    if (this.#isDone || this.#isPumping) return
    this.#isPumping = true
    const { reply } = this.#exchange
    this.#exchange.sending()
    this.#stream.once('wantTrailers', () => {
      const headers: OutgoingHttpHeaders = {}
      addToHttp2(headers, reply.requestTrailers())
      this.#stream.sendTrailers(headers)
    })
    this.#stopPump = pumpBody(reply.body, this.#stream, {
      moved: () => this.#exchange.moved(),
      ended: () => {
        if (!reply.isBodyWhole()) return
        this.#stream.end()
        this.#exchange.sent()
      },
    })
  }

  #informed(headers: Answer): void {
    const status = headers[':status'] ?? 0
    if (status > 100 && status < 200) this.#exchange.info(status, fromHttp2(headers))
  }

  #answered(headers: Answer, flags: number): void {
    this.#cancelContinue()
    this.#isAnswered = true
    const ended = (flags & END_STREAM) !== 0
    this.#exchange.head(headers[':status'] ?? 502, '', fromHttp2(headers), ended)
    // Not before: Node tells of a head a tick late, and of a body that is already flowing at once.
    this.#stream
      .on('data', (chunk: Buffer) => {
        if (!this.#exchange.data(chunk)) this.#stream.pause()
      })
      .once('end', () => this.#ended())
  }

  #ended(): void {
    if (this.#isDone) return
    if (!this.#isAnswered || !this.#isWhole) return this.#failed(new Error('stream reset'))
    this.#finish()
    if (!this.#stream.writableEnded) this.#stream.close(NGHTTP2_NO_ERROR)
    this.#exchange.end(this.#trailers)
  }

  #failed(reason: Error): void {
    if (this.#isDone) return
    this.#finish()
    const { hasBody } = this.#exchange.outgoing
    // RFC 9113 §8.7: a refused stream was not looked at.
    const isUntouched = this.#stream.rstCode === NGHTTP2_REFUSED_STREAM
    if (isUntouched && !hasBody && !this.#isAnswered) this.#retry()
    else this.#exchange.fail(reason)
  }

  #finish(): void {
    this.#isDone = true
    this.#cancelContinue()
    if (this.#isPumping) this.#stopPump()
  }
}
