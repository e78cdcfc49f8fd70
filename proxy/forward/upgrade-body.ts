/**
 * The body of a request that asks for another protocol. Node's server lets go of a connection with the head of such a
 * request, and its body is left to whoever takes the connection over.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { listHas } from './hop-by-hop.ts'
import type { Framing } from './http1-head.ts'
import { AnswerParser } from './http1-parser.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** How the body of `req` is framed (RFC 9112 §6.3): `none` without one, `undefined` when that can be read in two ways. */
export function upgradeFraming({ headers }: Pick<IncomingMessage, 'headers'>): Framing | undefined {
  const { 'transfer-encoding': encoding, 'content-length': length } = headers
  if (encoding !== undefined) {
    return length === undefined && encoding.toLowerCase() === 'chunked'
      ? { name: 'chunks' }
      : undefined
  }
  if (length === undefined || Number(length) === 0) return { name: 'none' }
  return /^\d{1,15}$/.test(length) ? { name: 'length', bytes: Number(length) } : undefined
}

/** Reads it off the socket, no faster than it is taken. A body that is none ends the connection. */
export class UpgradeBody extends Readable {
  readonly #socket: Socket
  readonly #parser: AnswerParser
  #head: Buffer | undefined
  #isWhole = false
  #trailers: readonly string[] = []

  /** `head` is what of the body came with the request's head. */
  constructor(req: IncomingMessage, framing: Framing, socket: Socket, head: Buffer) {
    super()
    this.#socket = socket
    this.#head = head
    this.#parser = new AnswerParser({
      head: () => {},
      body: (piece) => void (this.push(piece) || socket.pause()),
      end: (trailers) => this.#end(trailers),
    })
    this.#parser.expectBody(framing)
    const waits = req.headers.expect !== undefined && listHas(req.headers.expect, '100-continue')
    if (waits && head.length === 0) this.once('resume', () => socket.write(CONTINUE))
  }

  /** Whether all of it has come. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Names and values in turn, once all has come. */
  get trailers(): readonly string[] {
    return this.#trailers
  }

  override _read(): void {
    const head = this.#head
    if (!head) return void (this.#isWhole || this.#socket.resume())
    this.#head = undefined
    this.#socket
      .on('data', this.#received)
      .once('end', () => this.#isWhole || this.#socket.destroy())
    if (head.length > 0) this.#received(head)
  }

  readonly #received = (chunk: Buffer): void => {
    try {
      this.#parser.read(chunk)
    } catch {
      // What follows the body is for nobody: the connection ends with the answer.
      if (!this.#isWhole) this.#socket.destroy()
    }
  }

  #end(trailers: readonly string[]): void {
    this.#isWhole = true
    this.#trailers = trailers
    this.#socket.off('data', this.#received).resume()
    this.push(null)
  }
}
