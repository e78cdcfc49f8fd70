/** Answers a client that speaks HTTP/2, on the stream itself: Node's compatible response knows no lists. */
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { addToHttp2, fromHttp2 } from './fields.ts'
import type { Loan } from './inlet.ts'
import type { Reply } from './reply.ts'
import type { ResponseHead } from './response-head.ts'

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants

export class Http2Reply implements Reply {
  readonly body: ServerHttp2Stream
  readonly sink: ServerHttp2Stream
  readonly #res: Http2ServerResponse
  readonly #isHead: boolean
  #trailers: readonly string[] = []
  /** Whether nothing more may be written: there is no body, or it is out. */
  #ended = false

  constructor(req: Http2ServerRequest, res: Http2ServerResponse) {
    this.body = this.sink = req.stream
    this.#res = res
    this.#isHead = req.method === 'HEAD'
    // A stream closes when its end was read, also where there is nothing before it.
    if (this.body.endAfterHeaders) this.body.resume()
    this.body.on('trailers', (headers: IncomingHttpHeaders) => {
      this.#trailers = fromHttp2(headers)
    })
  }

  get started(): boolean {
    return this.sink.headersSent
  }

  get backlog(): number {
    return this.sink.writableLength
  }

  isBodyWhole(): boolean {
    return this.body.rstCode === NGHTTP2_NO_ERROR && !this.body.aborted
  }

  requestTrailers(): readonly string[] {
    return this.#trailers
  }

  info(status: number, fields: readonly string[]): void {
    if (this.started || this.sink.destroyed) return
    const headers: OutgoingHttpHeaders = { ':status': status }
    addToHttp2(headers, fields)
    this.sink.additionalHeaders(headers)
  }

  head({ status, fields }: ResponseHead, ended: boolean): void {
    if (this.sink.destroyed || this.sink.closed) return
    const headers: OutgoingHttpHeaders = { ':status': status }
    addToHttp2(headers, fields)
    this.#ended = ended || this.#isHead || [204, 205, 304].includes(status)
    this.sink.respond(headers, { endStream: this.#ended, waitForTrailers: !this.#ended })
  }

  write(chunk: Buffer, loan?: Loan): boolean {
    if (this.#ended || this.sink.destroyed) return true
    loan?.hold()
    return this.sink.write(chunk, loan?.release)
  }

  end(trailers: readonly string[]): void {
    if (this.#ended || this.sink.destroyed) return
    this.#ended = true
    if (!this.body.readableEnded) {
      this.sink.once('wantTrailers', () => setImmediate(() => this.#refuseRest()))
    }
    // The compatible response sends its trailers when the stream asks for them.
    const headers: OutgoingHttpHeaders = {}
    addToHttp2(headers, trailers)
    this.#res.addTrailers(headers)
    this.sink.end()
  }

  cut(): void {
    // Node would end the stream before it resets it, but for the trailers that it waits for.
    if (!this.sink.closed) this.sink.close(NGHTTP2_INTERNAL_ERROR)
  }

  onClose(listener: (complete: boolean) => void): void {
    this.sink.once('close', () => {
      listener(this.sink.writableFinished && this.sink.rstCode === NGHTTP2_NO_ERROR)
    })
  }

  /** RFC 9113 §8.1: an answer that is out, trailers and all, makes the rest of the request needless. */
  #refuseRest(): void {
    if (!this.body.readableEnded && !this.sink.closed) this.sink.close(NGHTTP2_NO_ERROR)
  }
}
