/** The streams of a connection: their numbers, how many there may be, who waits (RFC 9113 §5.1). */
import { Http2Code, Http2Error } from './error.ts'
import { MAX_CONCURRENT_STREAMS } from './limits.ts'
import type { Http2Stream, StreamFailure } from './stream.ts'

const MAX_STREAM_ID = 2 ** 31 - 1

/** Open streams by number, and requests that wait until the peer allows one more. */
export class Streams {
  readonly #role: 'client' | 'server'
  readonly #open = new Map<number, Http2Stream>()
  #waiting: Http2Stream[] = []
  #nextId = 1
  #lastPeerId = 0
  /** What the peer allows; changed by its SETTINGS. */
  #allowed = Number.POSITIVE_INFINITY
  readonly #start: (stream: Http2Stream) => void

  /** `start` sends the header list of a request that has got its number. */
  constructor(role: 'client' | 'server', start: (stream: Http2Stream) => void) {
    this.#role = role
    this.#start = start
  }

  /** Number of the peer's newest stream, for GOAWAY. */
  get lastPeerId(): number {
    return this.#lastPeerId
  }

  /** Streams that are open or wait. */
  get size(): number {
    return this.#open.size + this.#waiting.length
  }

  /** Whether all the numbers of a client's streams have been used. */
  get usedUp(): boolean {
    return this.#nextId > MAX_STREAM_ID
  }

  /** How many the peer allows at once; infinite until it says. */
  get allowed(): number {
    return this.#allowed
  }

  /** The open streams. */
  values(): Iterable<Http2Stream> {
    return this.#open.values()
  }

  /** The open stream `id`, or `undefined` for one of the past. Throws `Http2Error` for one that never was. */
  find(id: number): Http2Stream | undefined {
    const stream = this.#open.get(id)
    if (stream) return stream
    const last = this.#role === 'server' ? this.#lastPeerId : this.#nextId - 2
    if (id === 0 || id > last || id % 2 === 0) {
      throw new Http2Error(Http2Code.protocolError, `a frame on the idle stream ${id}`)
    }
    return undefined
  }

  /** Whether a header list on stream `id` starts a new request at this server. */
  isNew(id: number): boolean {
    return this.#role === 'server' && id > this.#lastPeerId && id % 2 === 1
  }

  /** Notes the peer's stream `id`; `false` when it is one too many and must be refused. */
  admit(id: number): boolean {
    this.#lastPeerId = id
    return this.#open.size < MAX_CONCURRENT_STREAMS
  }

  /** Adds a stream that has its number. */
  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream)
  }

  /** Starts `stream` with the next number, or lets it wait. */
  enter(stream: Http2Stream): void {
    this.#waiting.push(stream)
    this.#startWaiting()
  }

  /** Takes `stream` out; `false` when it has not been started or is gone. */
  remove(stream: Http2Stream): boolean {
    if (stream.id === 0) {
      this.#waiting = this.#waiting.filter((other) => other !== stream)
      return false
    }
    const removed = this.#open.delete(stream.id)
    if (removed && this.#waiting.length > 0) this.#startWaiting()
    return removed
  }

  /** Follows the peer's SETTINGS_MAX_CONCURRENT_STREAMS. */
  allow(count: number): void {
    this.#allowed = count
    this.#startWaiting()
  }

  /** Fails what waits, and the open streams above `lastId`. */
  failAbove(lastId: number, failure: StreamFailure): void {
    const failed = [...this.#open.values()].filter((stream) => stream.id > lastId)
    failed.push(...this.#waiting)
    this.#waiting = []
    for (const stream of failed) this.fail(stream, failure)
  }

  /** Ends one stream with `failure`. */
  fail(stream: Http2Stream, failure: StreamFailure): void {
    stream.close()
    this.remove(stream)
    stream.events.failed(failure)
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.#open.size < this.#allowed && !this.usedUp) {
      const stream = this.#waiting.shift()
      if (!stream) return
      stream.id = this.#nextId
      this.#nextId += 2
      this.add(stream)
      this.#start(stream)
    }
  }
}
