/**
 * One HTTP/2 connection to an upstream: moves bytes between the protocol's core and a socket. What the
 * socket has not taken yet holds the rest back, and whatever the upstream sends ends this connection at worst.
 */
import type net from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../../src/base/clock.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { Http2Connection as Core } from '../../src/http2/connection.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Http2Limits } from '../../src/http2/limits.ts'
import type { Http2Stream, StreamEvents } from '../../src/http2/stream.ts'
import { REQUEST_LITERALS } from './http2-fields.ts'

/** What a server allows before its settings are known (RFC 9113 §6.5.2 recommends no less). */
const STREAMS_BEFORE_SETTINGS = 100
/** A connection with requests on it is asked so often whether it is there, and has as long to answer. */
export const PING_EVERY_MS = 20_000
/** Bytes that are written at once. */
const WRITE_BYTES = 65_536
/** What a goodbye may take to be sent. */
const GOODBYE_MS = 2_000

/** Bytes on the way on one stream, until the client takes them, and on a connection, until they are here. */
const LIMITS: Http2Limits = {
  streamWindowBytes: 1_024 * 1_024,
  connectionWindowBytes: 4 * 1_024 * 1_024,
  headerListBytes: 65_536,
  sharesWindow: false,
}

/** What a connection is told, and tells. */
export interface Http2ConnectionDeps {
  readonly clock: Clock
  /** Time without a request until it is closed, in milliseconds; 0 is for ever. */
  readonly idleMs: number
  readonly onClose: () => void
}

export class Http2Connection {
  readonly scheme: 'http' | 'https'
  readonly #socket: net.Socket
  readonly #core: Core
  readonly #deps: Http2ConnectionDeps
  #isWriting = false
  #isClosed = false
  #reason: Error | undefined
  /** Whether the other end was heard since it was last asked. */
  #isHeard = true
  #cancelIdle: (() => void) | undefined
  #cancelPing = () => {}

  /** `socket` is connected, and the core's alone from here on. */
  constructor(socket: net.Socket, deps: Http2ConnectionDeps) {
    this.scheme = socket instanceof TLSSocket ? 'https' : 'http'
    this.#socket = socket
    this.#deps = deps
    this.#core = new Core({
      wake: () => this.#wake(),
      limits: LIMITS,
      literals: REQUEST_LITERALS,
    })
    socket
      .on('data', (bytes: Buffer) => this.#receive(bytes))
      .on('drain', () => this.#write())
      .on('error', (reason) => this.#end(reason))
      .on('end', () => this.#end())
      .on('close', () => this.#end())
    this.#wake()
    this.#watchIdle()
    this.#pingLater()
  }

  /** Whether it takes requests, now or when one of its streams has ended. */
  get isOpen(): boolean {
    return this.#core.open && !this.#isClosed
  }

  /** Whether it takes a request now. */
  get hasRoom(): boolean {
    const { streams, streamLimit, settled } = this.#core
    return this.isOpen && streams < (settled ? streamLimit : STREAMS_BEFORE_SETTINGS)
  }

  /** Why it has ended, if that was no orderly end. */
  get reason(): Error | undefined {
    return this.#reason
  }

  /** Starts a request, which is whole with `end`; only while it `hasRoom`. */
  request(fields: readonly Field[], events: StreamEvents, end: boolean): Http2Stream {
    const stream = this.#core.request(fields, events, [], end)
    this.#watchIdle()
    return stream
  }

  /** Lets the streams that run end and takes no more. */
  close(): void {
    this.#core.drain()
    this.#wake()
  }

  /** Breaks everything off. */
  destroy(): void {
    this.#end()
    this.#socket.destroy()
  }

  /** What one turn of the event loop makes goes out in one write. */
  #wake(): void {
    if (this.#isWriting || this.#isClosed) return
    this.#isWriting = true
    setImmediate(this.#write)
  }

  readonly #write = (): void => {
    this.#isWriting = false
    if (this.#isClosed) return
    this.#writeWhatFits()
    if (this.#core.done) this.#end()
    else this.#watchIdle()
  }

  #writeWhatFits(): void {
    while (!this.#socket.writableNeedDrain && !this.#socket.destroyed) {
      const bytes = this.#core.take(WRITE_BYTES)
      if (!bytes) return
      this.#socket.write(bytes)
    }
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosed) return
    this.#isHeard = true
    try {
      this.#core.receive(bytes)
    } catch (reason) {
      return this.#end(reason)
    }
    if (this.#core.done) this.#wake()
    else this.#watchIdle()
  }

  /** Fails what is under way and says goodbye, if the socket takes it. */
  #end(reason?: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#reason = reason === undefined ? undefined : new Http2Broken(reason)
    this.#cancelIdle?.()
    this.#cancelPing()
    this.#core.end(isPinholeError(reason) ? reason : undefined)
    if (!this.#socket.destroyed) {
      this.#writeWhatFits()
      this.#socket.destroySoon()
      const cancel = this.#deps.clock.after(GOODBYE_MS, () => this.#socket.destroy())
      this.#socket.once('close', cancel)
    }
    this.#deps.onClose()
  }

  #watchIdle(): void {
    const { clock, idleMs } = this.#deps
    if (this.#isClosed || idleMs === 0) return
    if (this.#core.streams === 0) this.#cancelIdle ??= clock.after(idleMs, () => this.close())
    else if (this.#cancelIdle) {
      this.#cancelIdle()
      this.#cancelIdle = undefined
    }
  }

  #pingLater(): void {
    this.#cancelPing = this.#deps.clock.after(PING_EVERY_MS, () => {
      if (!this.#isHeard) {
        this.#end(new Error('no answer to a ping'))
        this.#socket.destroy()
        return
      }
      if (this.#core.streams > 0) {
        this.#isHeard = false
        this.#core.ping()
      }
      this.#pingLater()
    })
  }
}

/** The upstream, or the way to it, ended a connection otherwise than by GOAWAY. */
class Http2Broken extends Error {
  readonly code: string

  constructor(cause: unknown) {
    super('the HTTP/2 connection broke', { cause })
    this.code = codeOf(cause) || 'ERR_HTTP2_BROKEN'
  }
}

const codeOf = (reason: unknown): string =>
  reason instanceof Error && !isPinholeError(reason) && 'code' in reason ? String(reason.code) : ''
