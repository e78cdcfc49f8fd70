/** One HTTP/2 stream as its user sees it, and the part of its state that sending needs (RFC 9113 §5). */
import { compact } from '../base/bytes.ts'
import type { PinholeError } from '../base/errors.ts'
import type { Field } from './hpack-table.ts'
import { ReceiveWindow } from './receive-window.ts'

/** How a stream ended other than by both ends' END_STREAM. */
export type StreamFailure =
  /** The peer reset it with one of `Http2Code`. */
  | { readonly kind: 'reset'; readonly code: number }
  /** The peer never looked at it (GOAWAY, REFUSED_STREAM): safe to try elsewhere. */
  | { readonly kind: 'refused' }
  /** The connection is gone; `error` says why unless the end was in order. */
  | { readonly kind: 'lost'; readonly error: PinholeError | undefined }

/** What happens on a stream. No event follows `failed`, nor the stream's own `reset`. */
export interface StreamEvents {
  /** A header list: a request's or response's, or the trailers. */
  headers(fields: readonly Field[], end: boolean): void
  /** Body bytes, a view on what was received; each must be given back by `consume`, once. */
  data(bytes: Uint8Array, end: boolean): void
  /** All that was queued by `send` has left. */
  drained(): void
  failed(failure: StreamFailure): void
}

/** What a stream asks of its connection. */
export interface StreamHost {
  /** Sends what may be sent now and remembers the rest. */
  push(stream: Http2Stream): void
  abandon(stream: Http2Stream, code: number): void
  credit(stream: Http2Stream, bytes: number): void
}

/** Small pieces that wait are joined up to so many bytes. */
const JOINED_BYTES = 4096

/** Body bytes that wait, the header lists around them, and the windows. Made by `Http2Connection`. */
export class Http2Stream {
  /** 0 until the request has been sent. */
  id = 0
  /** The request's or response's header list while it waits to be sent. */
  head: { readonly fields: readonly Field[]; readonly passing: readonly Field[] } | undefined
  /** Trailers that follow the queue. */
  trailers: readonly Field[] | undefined
  /** Whether END_STREAM follows the queue, or the trailers. */
  ending = false
  localClosed = false
  remoteClosed = false
  /** In the connection's round of streams with something to send. */
  ready = false
  sendWindow = 0
  readonly receiveWindow: ReceiveWindow
  queue: Uint8Array[] = []
  /** Bytes of the first queued piece that have left. */
  sent = 0
  /** Bytes queued and not yet sent. */
  queued = 0
  readonly events: StreamEvents
  readonly #host: StreamHost
  /** Memory of the last queued piece, when that was put together of small ones. */
  #joined: Uint8Array | undefined

  /** `windowBytes` is what the peer may send before `consume`. */
  constructor(
    host: StreamHost,
    windowBytes: number,
    events: (stream: Http2Stream) => StreamEvents,
  ) {
    this.#host = host
    this.receiveWindow = new ReceiveWindow(windowBytes)
    this.events = events(this)
  }

  /** Queues the first header list of a server's answer. */
  respond(fields: readonly Field[]): void {
    this.head = { fields, passing: [] }
    this.#host.push(this)
  }

  /** Queues body bytes, which must not be changed afterwards; `end` closes this direction. */
  send(bytes: Uint8Array, end: boolean): void {
    if (this.ending) return
    if (bytes.length > 0) this.#enqueue(bytes)
    this.ending = end
    this.#host.push(this)
    const { queue } = this
    if (queue.at(-1) === bytes) queue[queue.length - 1] = compact(bytes)
  }

  /** What waits in small pieces is put together: a window of single bytes would be millions of pieces. */
  #enqueue(bytes: Uint8Array): void {
    const { queue } = this
    this.queued += bytes.length
    if (queue.length === 0 || bytes.length > JOINED_BYTES / 4) {
      queue.push(bytes)
      return
    }
    const last = queue.at(-1)
    const used = this.#joined && last?.buffer === this.#joined.buffer ? last.length : JOINED_BYTES
    if (this.#joined && used + bytes.length <= JOINED_BYTES) {
      this.#joined.set(bytes, used)
      queue[queue.length - 1] = this.#joined.subarray(0, used + bytes.length)
    } else {
      this.#joined = new Uint8Array(JOINED_BYTES)
      this.#joined.set(bytes)
      queue.push(this.#joined.subarray(0, bytes.length))
    }
  }

  /** Queues the trailers, which close this direction. */
  finish(trailers: readonly Field[]): void {
    if (this.ending) return
    this.trailers = trailers
    this.ending = true
    this.#host.push(this)
  }

  /** Says that `bytes` of received body have been dealt with, so that the peer may send as many more. */
  consume(bytes: number): void {
    this.#host.credit(this, bytes)
  }

  /** @internal Drops what waits; nothing is sent or received on the stream any more. */
  close(): void {
    this.localClosed = true
    this.remoteClosed = true
    this.queue = []
    this.#joined = undefined
    this.queued = 0
  }

  /** Ends the stream at once, with one of `Http2Code`. Idempotent; no event follows. */
  reset(code: number): void {
    this.#host.abandon(this, code)
  }
}
