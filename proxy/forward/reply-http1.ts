/** Answers a client that speaks HTTP/1.1 or 1.0. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import type { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Loan } from './inlet.ts'
import { MAX_HELD_BYTES, type Reply } from './reply.ts'
import type { ResponseHead } from './response-head.ts'
import type { UpgradeBody } from './upgrade-body.ts'

export class Http1Reply implements Reply {
  readonly body: Readable
  readonly sink: ServerResponse
  readonly #req: IncomingMessage
  readonly #late: UpgradeBody | undefined
  #hasLength = false
  #isFlushed = false
  /** The first piece of the body, until the tick ends in which the head came. */
  #held: Buffer | undefined

  /** `late` is the body where it is not the request's own to read. */
  constructor(req: IncomingMessage, res: ServerResponse, late?: UpgradeBody) {
    this.body = late ?? req
    this.sink = res
    this.#req = req
    this.#late = late
  }

  get started(): boolean {
    return this.sink.headersSent
  }

  get backlog(): number {
    return this.sink.writableLength
  }

  isBodyWhole(): boolean {
    return this.#late?.isWhole ?? this.#req.complete
  }

  requestTrailers(): readonly string[] {
    return this.#late?.trailers ?? this.#req.rawTrailers
  }

  info(status: number, fields: readonly string[]): void {
    // Node has no way to send any interim answer but by name. The socket is the response's alone, from
    // the end of the answer before it to its own.
    const { socket } = this.sink
    if (!socket || this.started || this.#req.httpVersion !== '1.1') return
    let text = `HTTP/1.1 ${status} ${status === 103 ? 'Early Hints' : 'Interim'}\r\n`
    for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`
    socket.write(`${text}\r\n`, 'latin1')
  }

  head({ status, statusText, fields, hasLength, trailer }: ResponseHead): void {
    this.#hasLength = hasLength
    const chunked =
      !hasLength && this.#req.httpVersion === '1.1' && this.#req.method !== 'HEAD' && status >= 200
    const lines = [...fields]
    if (trailer !== '' && chunked && status !== 204 && status !== 304) {
      lines.push('Trailer', trailer)
    }
    if (statusText === '') this.sink.writeHead(status, lines)
    else this.sink.writeHead(status, statusText, lines)
    // What has arrived of the body in the same piece goes out with the head; nothing else is waited for.
    process.nextTick(flush, this)
  }

  /** Sends the head with what there is of the body, unless they are out. */
  flush(): void {
    if (this.#isFlushed || this.sink.destroyed) return
    if (this.#held) this.#release()
    else this.sink.flushHeaders()
    this.#isFlushed = true
  }

  write(chunk: Buffer, loan?: Loan): boolean {
    if (!this.#isFlushed && !this.#held && chunk.length <= MAX_HELD_BYTES) {
      this.#held = loan ? Buffer.from(chunk) : chunk
      return true
    }
    this.#isFlushed = true
    this.#release()
    loan?.hold()
    if (this.sink.write(chunk, loan?.release)) return true
    // Node holds pieces back until the tick ends. What the system takes of them at once need not be waited for.
    this.sink.socket?.uncork()
    return this.backlog === 0
  }

  #release(): void {
    if (this.#held) this.sink.write(this.#held)
    this.#held = undefined
  }

  end(trailers: readonly string[]): void {
    if (trailers.length > 0 && this.sink.chunkedEncoding) {
      const pairs: [string, string][] = []
      for (let i = 0; i + 1 < trailers.length; i += 2) {
        pairs.push([trailers[i] ?? '', trailers[i + 1] ?? ''])
      }
      this.sink.addTrailers(pairs)
    }
    this.#isFlushed = true
    // A text goes out in one write with the head, bytes would need a second one.
    if (this.#held) this.sink.end(this.#held.toString('latin1'), 'latin1')
    else this.sink.end()
    this.#held = undefined
  }

  cut(): void {
    const { socket } = this.sink
    // A body without length or chunks ends with the connection, so an orderly end would complete it.
    const endsWithConnection = !this.#hasLength && !this.sink.chunkedEncoding
    if (endsWithConnection && socket instanceof net.Socket && !(socket instanceof TLSSocket)) {
      socket.resetAndDestroy()
    } else this.sink.destroy()
  }

  onClose(listener: (complete: boolean) => void): void {
    this.sink.once('close', () => listener(this.sink.writableFinished))
  }
}

const flush = (reply: Http1Reply) => reply.flush()
