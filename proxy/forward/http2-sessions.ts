/**
 * HTTP/2 connections to one upstream: as many as its limit of concurrent streams makes necessary. One that
 * says goodbye, is silent or breaks gets no more requests, and the next request opens another.
 */
import http2, { type ClientHttp2Session, type Settings } from 'node:http2'
import type net from 'node:net'
import type { Clock } from '../../src/base/clock.ts'

/** What a server allows before its settings are known (RFC 9113 §6.5.2 recommends no less). */
const STREAMS_BEFORE_SETTINGS = 100
/** Bytes on the way on one stream and on a connection, until the client takes them. */
const STREAM_WINDOW_BYTES = 1_024 * 1_024
const CONNECTION_WINDOW_BYTES = 4 * 1_024 * 1_024
/** Memory of one connection; Node's 10 MB are used up by some thousand streams. */
const MAX_SESSION_MEMORY_MB = 128
/** A connection with requests on it is asked so often whether it is there, and has as long to answer. */
export const PING_EVERY_MS = 20_000

/** One connection. */
export interface Http2Connection {
  readonly session: ClientHttp2Session
  streams: number
  limit: number
  cancelIdle: () => void
}

export class Http2Sessions {
  readonly #open: () => Promise<net.Socket | undefined>
  readonly #idleMs: number
  readonly #clock: Clock
  readonly #connections = new Set<Http2Connection>()
  #opening: Promise<void> | undefined
  #isRetired = false

  constructor(open: () => Promise<net.Socket | undefined>, idleMs: number, clock: Clock) {
    this.#open = open
    this.#idleMs = idleMs
    this.#clock = clock
  }

  /** A connection with room for a stream, if there is one. */
  free(): Http2Connection | undefined {
    for (const connection of this.#connections) {
      const { session, streams, limit } = connection
      if (streams < limit && !session.closed && !session.destroyed) return connection
    }
    return undefined
  }

  /** Whether there is a connection that takes requests, now or when one of its streams has ended. */
  get isAlive(): boolean {
    for (const { session } of this.#connections)
      if (!session.closed && !session.destroyed) return true
    return false
  }

  /** Opens one more connection; many who ask at once share it. Rejects with the dialer's error. */
  more(): Promise<void> {
    this.#opening ??= this.#open()
      .then((socket) => (socket ? this.#adopt(socket) : undefined))
      .finally(() => (this.#opening = undefined))
    return this.#opening
  }

  #adopt(socket: net.Socket): void {
    const session = http2.connect('http://upstream', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
    })
    const connection: Http2Connection = {
      session,
      streams: 0,
      limit: STREAMS_BEFORE_SETTINGS,
      cancelIdle: () => {},
    }
    this.#connections.add(connection)
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    session.on('remoteSettings', (settings: Settings) => {
      connection.limit = settings.maxConcurrentStreams ?? connection.limit
    })
    // Requests on it hear of it themselves.
    session.on('error', () => {})
    const cancelPing = this.#pingSometimes(connection)
    session.once('close', () => {
      cancelPing()
      connection.cancelIdle()
      this.#connections.delete(connection)
    })
    if (this.#isRetired) session.close()
    else this.#closeWhenIdle(connection)
  }

  /** Counts a stream in, until `release`. */
  claim(connection: Http2Connection): void {
    connection.cancelIdle()
    connection.streams++
  }

  release(connection: Http2Connection): void {
    connection.streams--
    if (connection.streams === 0) this.#closeWhenIdle(connection)
  }

  /** Lets the streams that run end and opens no more. */
  retire(): void {
    this.#isRetired = true
    for (const { session } of this.#connections) session.close()
  }

  /** Closes all connections now. */
  destroy(): void {
    this.#isRetired = true
    for (const { session } of this.#connections) session.destroy()
  }

  #closeWhenIdle(connection: Http2Connection): void {
    connection.cancelIdle()
    if (this.#idleMs === 0) return
    connection.cancelIdle = this.#clock.after(this.#idleMs, () => connection.session.close())
  }

  #pingSometimes(connection: Http2Connection): () => void {
    let isAnswered = true
    let cancel = () => {}
    const again = () => {
      cancel = this.#clock.after(PING_EVERY_MS, () => {
        if (!isAnswered) return connection.session.destroy(new Error('no answer to a ping'))
        if (connection.streams > 0 && !connection.session.closed) {
          isAnswered = false
          connection.session.ping(() => (isAnswered = true))
        }
        again()
      })
    }
    again()
    return () => cancel()
  }
}
