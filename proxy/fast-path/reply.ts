/**
 * Answers a request of the fast path, in Node's own form: the same lines in the same order, so that nobody can
 * tell which way a request went.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Answer } from '../answer.ts'
import { valueOf } from '../forward/fields.ts'
import { fieldLines } from '../forward/http1-request-head.ts'
import type { Loan } from '../forward/inlet.ts'
import { MAX_HELD_BYTES, type Reply } from '../forward/reply.ts'
import type { ResponseHead } from '../forward/response-head.ts'
import { httpDate } from './http-date.ts'
import type { PlainRequest } from './request.ts'

/** How the body of an answer ends. */
type Framing = 'none' | 'length' | 'chunks'

/** What the connection gives to its answers. */
export interface Wire {
  readonly socket: Socket
  /** Milliseconds since 1970. */
  wall(): number
  /** The lines that say what becomes of the connection, each with its CRLF. */
  connectionLines(): string
  /** All of the answer is out. */
  answered(): void
}

export class PlainReply implements Reply {
  readonly #wire: Wire
  readonly #request: PlainRequest
  #listener: ((complete: boolean) => void) | undefined
  #witness: ((complete: boolean) => void) | undefined
  #status: number | undefined
  #framing: Framing = 'none'
  /** The head, until it goes out with what there is of the body. */
  #head: string | undefined
  #held: Buffer | undefined
  /** Bytes of the body that are still to come, where its length is said. */
  #left = 0
  #started = false
  #ended = false

  constructor(wire: Wire, request: PlainRequest) {
    this.#wire = wire
    this.#request = request
  }

  get body(): Readable {
    return this.#request.body
  }

  get sink(): Socket {
    return this.#wire.socket
  }

  get started(): boolean {
    return this.#started
  }

  /** Once the answer has begun. */
  get status(): number | undefined {
    return this.#status
  }

  get backlog(): number {
    return this.#wire.socket.writableLength
  }

  isBodyWhole(): boolean {
    return this.#request.isWhole
  }

  requestTrailers(): readonly string[] {
    return []
  }

  info(status: number, fields: readonly string[]): void {
    if (this.#started) return
    const reason = status === 103 ? 'Early Hints' : 'Interim'
    this.#wire.socket.write(`HTTP/1.1 ${status} ${reason}\r\n${fieldLines(fields)}\r\n`, 'latin1')
  }

  head({ status, statusText, fields, hasLength, trailer }: ResponseHead): void {
    this.#framing = framingOf(status, this.#request.method, hasLength)
    this.#status = status
    const text = statusText === '' ? (STATUS_CODES[status] ?? 'unknown') : statusText
    let head = `HTTP/1.1 ${status} ${text}\r\n${fieldLines(fields)}`
    if (this.#framing === 'chunks' && trailer !== '') head += fieldLines(['Trailer', trailer])
    if (valueOf(fields, 'date') === undefined) head += `Date: ${httpDate(this.#wire.wall())}\r\n`
    head += this.#wire.connectionLines()
    if (this.#framing === 'chunks') head += 'Transfer-Encoding: chunked\r\n'
    if (this.#framing === 'length') this.#left = Number(valueOf(fields, 'content-length'))
    this.#head = `${head}\r\n`
    this.#started = true
    // What has arrived of the body in the same piece goes out with the head; nothing else is waited for.
    process.nextTick(flush, this)
  }

  /** Sends the head with what there is of the body, unless they are out. */
  flush(): void {
    if (this.#head !== undefined) this.#release()
  }

  write(chunk: Buffer, loan?: Loan): boolean {
    if (this.#framing === 'none' || chunk.length === 0) return true
    if (this.#framing === 'length') {
      this.#left -= chunk.length
      // What is too much would be read as the next answer.
      if (this.#left < 0) throw new Error('the body is longer than it says')
    }
    if (this.#head !== undefined && !this.#held && chunk.length <= MAX_HELD_BYTES) {
      this.#held = loan ? Buffer.from(chunk) : chunk
      return true
    }
    const { socket } = this.#wire
    loan?.hold()
    socket.cork()
    this.#release()
    this.#put(chunk, loan?.release)
    socket.uncork()
    return socket.writableLength === 0 || !socket.writableNeedDrain
  }

  end(trailers: readonly string[]): void {
    if (this.#left > 0) return this.cut()
    this.#ended = true
    const last = this.#framing === 'chunks' ? `0\r\n${fieldLines(trailers)}\r\n` : ''
    if (this.#head !== undefined) {
      // In one piece: what is joined here is what the system would have to join.
      let text = this.#head
      const held = this.#held?.toString('latin1') ?? ''
      if (this.#framing !== 'chunks') text += held
      else if (held !== '') text += `${held.length.toString(16)}\r\n${held}\r\n`
      this.#head = this.#held = undefined
      this.#finish(text + last)
    } else this.#finish(last)
  }

  /** Answers by itself, with the length of its body. Throws an `Error` for a field that cannot be sent. */
  answer({ status, headers, body }: Answer): void {
    const fields = ['Content-Length', String(Buffer.byteLength(body))]
    for (const [name, value] of Object.entries(headers)) {
      for (const line of typeof value === 'string' ? [value] : value) fields.push(name, line)
    }
    this.#started = this.#ended = true
    this.#status = status
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fieldLines(fields)}Date: ${httpDate(this.#wire.wall())}\r\n${this.#wire.connectionLines()}\r\n`
    const sent = this.#request.method === 'HEAD' ? '' : Buffer.from(body).toString('latin1')
    this.#finish(head + sent)
  }

  cut(): void {
    this.#wire.socket.destroy()
  }

  onClose(listener: (complete: boolean) => void): void {
    this.#listener = listener
  }

  /** Tells one more, who only looks on, when it is over: whether all of it was sent. */
  onOver(witness: (complete: boolean) => void): void {
    this.#witness = witness
  }

  /** The connection is gone. */
  closed(): void {
    this.#head = this.#held = undefined
    this.#tell(false)
  }

  #put(chunk: Buffer, done?: () => void): void {
    const { socket } = this.#wire
    if (this.#framing === 'chunks') {
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      socket.write(chunk, done)
      socket.write('\r\n', 'latin1')
    } else socket.write(chunk, done)
  }

  #release(): void {
    const { socket } = this.#wire
    const head = this.#head
    const held = this.#held
    this.#head = this.#held = undefined
    if (head === undefined || socket.destroyed) return
    if (!held) {
      socket.write(head, 'latin1')
      return
    }
    socket.cork()
    socket.write(head, 'latin1')
    this.#put(held)
    socket.uncork()
  }

  #finish(text: string): void {
    const { socket } = this.#wire
    // TLS never says at once that something is out; a callback of its own costs less than asking for it later.
    if (socket instanceof TLSSocket) {
      socket.write(text, 'latin1', () => this.#over())
      return
    }
    if (text !== '') socket.write(text, 'latin1')
    if (socket.writableLength === 0) this.#over()
    else socket.write('', () => this.#over())
  }

  #over(): void {
    if (this.#wire.socket.destroyed) return
    this.#tell(this.#ended)
    this.#wire.answered()
  }

  #tell(complete: boolean): void {
    const listener = this.#listener
    const witness = this.#witness
    this.#listener = this.#witness = undefined
    listener?.(complete)
    witness?.(complete)
  }
}

const flush = (reply: PlainReply) => reply.flush()

/** RFC 9112 §6.3. */
function framingOf(status: number, method: string, hasLength: boolean): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return 'none'
  return hasLength ? 'length' : 'chunks'
}
