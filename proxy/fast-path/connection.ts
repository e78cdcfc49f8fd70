/**
 * One client's connection on the fast path. It stays there for as long as its requests are plain and their heads
 * come whole; the first one that does not is put back, and Node's own server has the connection from then on.
 *
 *     idle ─► busy ─► (rest ─►) idle …          idle ─► over (Node's) · any ─► over (closed)
 */
import type { Socket } from 'node:net'
import type { Inlet } from '../forward/inlet.ts'
import { PlainBody } from './body.ts'
import { type PlainFields, readFields, readRequestLine } from './head.ts'
import { readInto } from './read-into.ts'
import { PlainReply, type Wire } from './reply.ts'
import { PlainRequest } from './request.ts'

/** Where requests go. */
export interface PlainHandler {
  /** Whether the request is taken; `reply` then has its answer, at some time. */
  (request: PlainRequest, reply: PlainReply): boolean
}

/** What a connection works by. */
export interface ConnectionDeps {
  readonly handle: PlainHandler
  readonly clock: { now(): number; wall(): number }
  /** A longer head is Node's to refuse. */
  readonly maxHeadBytes: number
  /** Said in each answer. */
  readonly keepAliveLines: string
  /** Paths that are others'. */
  isTaken(url: string): boolean
  isDraining(): boolean
  /** It is not on the fast path any more. */
  left(connection: PlainConnection): void
}

const EMPTY_LINE = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)
/** Of a body this long what is left is read in large pieces. */
const LONG_BYTES = 262_144
const CLOSE_LINES = 'Connection: close\r\n'
/** Longer lines are read anew: kept by every idle connection they would be most of its memory. */
const MAX_REMEMBERED_CHARS = 4_096

type State =
  | 'idle'
  /** An answer is due. */
  | 'busy'
  /** It is out, and something of the request's body is still to come. */
  | 'rest'
  /** The connection is closed, or Node's. */
  | 'over'

/** A request whose head is read. */
interface Begun {
  readonly request: PlainRequest
  readonly body: PlainBody | undefined
  /** Where in the chunk the head ends. */
  readonly bodyAt: number
}

export class PlainConnection implements Wire {
  readonly socket: Socket
  readonly #deps: ConnectionDeps
  readonly #toNode: (chunk: Buffer) => void
  #state: State = 'idle'
  #sinceMs: number
  #isNew = true
  #reply: PlainReply | undefined
  /** Of the request that is being answered, while it comes in. */
  #body: PlainBody | undefined
  /** What has come in of the next requests while one was being answered. */
  #next: Buffer = NOTHING
  /** Once a long body has come. */
  #inlet: Inlet | undefined
  /** Clients repeat themselves: the lines of the last request and what they say. */
  #lastLines = ''
  #lastFields: PlainFields | undefined

  /** `toNode` is called at most once, with the bytes that nobody has read. */
  constructor(socket: Socket, deps: ConnectionDeps, toNode: (chunk: Buffer) => void) {
    this.socket = socket
    this.#deps = deps
    this.#toNode = toNode
    this.#sinceMs = deps.clock.now()
    socket.on('data', this.#received).on('end', this.#ended).on('close', this.#closed)
  }

  wall(): number {
    return this.#deps.clock.wall()
  }

  connectionLines(): string {
    return this.#isLast() ? CLOSE_LINES : this.#deps.keepAliveLines
  }

  answered(): void {
    this.#reply = undefined
    if (this.#state !== 'busy') return
    if (this.#isLast()) return this.close()
    this.#sinceMs = this.#deps.clock.now()
    if (this.#lastLines.length > MAX_REMEMBERED_CHARS) {
      this.#lastLines = ''
      this.#lastFields = undefined
    }
    if (this.#body) {
      this.#state = 'rest'
      this.#body.resume()
    } else this.#rest()
  }

  #rest(): void {
    this.#state = 'idle'
    if (this.#next.length === 0) return
    // Not within the answer to the one before.
    process.nextTick(() => {
      const next = this.#next
      this.#next = NOTHING
      if (this.socket.destroyed) return
      this.socket.resume()
      this.#received(next)
    })
  }

  /** Closes the connection if it has waited for a request for too long, in milliseconds; 0 is for ever. */
  sweep(nowMs: number, firstMs: number, idleMs: number): void {
    const limitMs = this.#isNew ? firstMs : idleMs
    const waits = this.#state === 'idle' || this.#state === 'rest'
    if (waits && limitMs > 0 && nowMs - this.#sinceMs >= limitMs) this.close()
  }

  /** Closes the connection if nothing is being answered on it. */
  closeIdle(): void {
    if (this.#state !== 'busy') this.close()
  }

  close(): void {
    this.#state = 'over'
    this.socket.destroySoon()
  }

  readonly #received = (chunk: Buffer): void => {
    if (this.#body) return this.#readBody(this.#body, chunk)
    if (this.#state === 'busy' || this.#next.length > 0) {
      // Answered one after the other; what waits is bounded by not being read.
      this.#next = this.#next.length === 0 ? chunk : Buffer.concat([this.#next, chunk])
      this.socket.pause()
      return
    }
    if (this.#state === 'over') return
    const begun = this.#begin(chunk)
    if (!begun) return this.#leave(chunk)
    const { request, body, bodyAt } = begun
    const reply = new PlainReply(this, request)
    this.#state = 'busy'
    this.#isNew = false
    this.#reply = reply
    this.#body = body
    if (bodyAt < chunk.length) this.#received(chunk.subarray(bodyAt))
    if (this.#deps.handle(request, reply)) return
    this.#reply = this.#body = undefined
    this.#next = NOTHING
    if (this.socket.isPaused()) this.socket.resume()
    this.#leave(chunk)
  }

  #readBody(body: PlainBody, chunk: Buffer): void {
    const { taken, isWanted } = body.takeIn(chunk)
    if (!body.isWhole) {
      if (!isWanted) this.socket.pause()
      return
    }
    this.#body = undefined
    if (taken < chunk.length) {
      this.#next = chunk.subarray(taken)
      this.socket.pause()
    }
    if (this.#state === 'rest') this.#rest()
  }

  readonly #wanted = (body: PlainBody): void => {
    if (body.leftBytes >= LONG_BYTES) (this.#inlet ??= readInto(this.socket))?.expectLong()
    if (this.#body === body && this.socket.isPaused()) this.socket.resume()
  }

  /** The first request of `chunk`; `undefined` when its head is not all there, not plain, or not for here. */
  #begin(chunk: Buffer): Begun | undefined {
    const end = chunk.indexOf(EMPTY_LINE)
    if (end < 0 || end > this.#deps.maxHeadBytes || this.#deps.isDraining()) return undefined
    const head = chunk.toString('latin1', 0, end + 2)
    const lineEnd = head.indexOf('\r\n')
    const line = readRequestLine(head.slice(0, lineEnd))
    if (!line || this.#deps.isTaken(line.url)) return undefined
    const fields = this.#fields(head.slice(lineEnd + 2))
    if (!fields) return undefined
    const body = fields.length > 0 ? new PlainBody(fields.length, this.#wanted) : undefined
    const request = new PlainRequest(this.socket, line, fields, body)
    return { request, body, bodyAt: end + EMPTY_LINE.length }
  }

  /** Whether nothing follows the answer. */
  #isLast(): boolean {
    return this.#lastFields?.keepAlive === false || this.#deps.isDraining()
  }

  #fields(lines: string): PlainFields | undefined {
    if (lines === this.#lastLines) return this.#lastFields
    const fields = readFields(lines)
    this.#lastLines = lines
    this.#lastFields = fields
    return fields
  }

  #leave(chunk: Buffer): void {
    this.#state = 'over'
    this.socket.off('data', this.#received).off('end', this.#ended).off('close', this.#closed)
    this.#deps.left(this)
    this.#toNode(chunk)
  }

  /** As Node's server: a client that ends its side wants no answer. */
  readonly #ended = (): void => void this.socket.destroy()

  readonly #closed = (): void => {
    this.#deps.left(this)
    const reply = this.#reply
    this.#reply = undefined
    this.#body?.destroy()
    this.#body = undefined
    reply?.closed()
  }
}
