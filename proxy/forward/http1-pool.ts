/** Connections to an HTTP/1.1 upstream. The one that was used last is used first, so that the rest can go. */
import type net from 'node:net'
import type { Clock } from '../../src/base/clock.ts'
import type { Upstream } from '../service.ts'
import { type Alpn, dial } from './dial.ts'
import { Http1Connection } from './http1-connection.ts'
import { Inlet } from './inlet.ts'

const HTTP1: Alpn = ['http/1.1']
/** Connections that are kept without a request. */
const MAX_IDLE = 256
/** A server that says how long it keeps a connection is believed up to so much before that. */
const KEEP_ALIVE_MARGIN_MS = 1_000
/** Longest idle time, for timers count in 32 bits. */
const FOR_EVER_MS = 2 ** 31 - 1

export class Http1Pool {
  readonly #upstream: Upstream
  readonly #clock: Clock
  readonly #onUnreachable: () => void
  readonly #idleMs: number
  readonly #open = new Set<Http1Connection>()
  readonly #idle: Http1Connection[] = []
  /** A connection that was made to find out the protocol. */
  #spare: net.Socket | undefined
  #cancelSweep: (() => void) | undefined
  #state: 'open' | 'retired' | 'destroyed' = 'open'

  constructor(upstream: Upstream, clock: Clock, onUnreachable: () => void) {
    this.#upstream = upstream
    this.#clock = clock
    this.#onUnreachable = onUnreachable
    this.#idleMs = upstream.timeouts.idleMs || FOR_EVER_MS
  }

  /** Calls `use` with a connection that is free, at once if there is one, or `failed`. */
  take(use: (connection: Http1Connection) => void, failed: (reason: unknown) => void): void {
    const free = this.#free()
    if (free) return use(free)
    const inlet = this.#upstream.protocol === 'https' ? undefined : new Inlet()
    this.#dial(inlet).then((socket) => {
      if (this.#state === 'destroyed') {
        socket.destroy()
        return failed(new Error('the connection was closed'))
      }
      const connection = new Http1Connection(socket, this, inlet)
      this.#open.add(connection)
      use(connection)
    }, failed)
  }

  /** Takes in a connection that was opened elsewhere. */
  adopt(socket: net.Socket): void {
    this.#spare?.destroy()
    this.#spare = socket
    socket.once('close', () => {
      if (this.#spare === socket) this.#spare = undefined
    })
  }

  /** A connection of its own, for an upgrade. */
  open(): Promise<net.Socket> {
    return this.#dial(undefined)
  }

  async #dial(inlet: Inlet | undefined): Promise<net.Socket> {
    const spare = this.#spare
    this.#spare = undefined
    if (spare && !spare.destroyed && !spare.readableEnded) return spare
    try {
      return await dial(this.#upstream, HTTP1, this.#clock, inlet)
    } catch (reason) {
      this.#onUnreachable()
      throw reason
    }
  }

  /** Closes idle connections now and the others as their requests end. */
  retire(): void {
    this.#state = 'retired'
    this.#spare?.destroy()
    for (const connection of this.#idle.splice(0)) connection.drop()
    this.#cancelSweep?.()
  }

  /** Closes all connections now. */
  destroy(): void {
    this.retire()
    this.#state = 'destroyed'
    for (const connection of [...this.#open]) connection.break(new Error('the hub is closing'))
  }

  /** A connection has brought its answer. */
  free(connection: Http1Connection, keptMs = this.#idleMs + KEEP_ALIVE_MARGIN_MS): void {
    const idleMs = Math.min(this.#idleMs, keptMs - KEEP_ALIVE_MARGIN_MS)
    if (this.#state !== 'open' || idleMs <= 0 || this.#idle.length >= MAX_IDLE) {
      connection.drop()
      return
    }
    connection.expiresMs = this.#clock.now() + idleMs
    this.#idle.push(connection)
    if (!this.#cancelSweep) this.#sweepAfter(idleMs)
  }

  /** A connection is closed. */
  gone(connection: Http1Connection): void {
    this.#open.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  #free(): Http1Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop()
      if (!connection) return undefined
      const { socket, expiresMs } = connection
      if (socket.writable && socket.readable && this.#clock.now() < expiresMs) return connection
      connection.drop()
    }
  }

  #sweepAfter(ms: number): void {
    this.#cancelSweep = this.#clock.after(ms, () => {
      this.#cancelSweep = undefined
      const now = this.#clock.now()
      let nextMs = Number.POSITIVE_INFINITY
      for (const connection of [...this.#idle]) {
        if (connection.expiresMs > now) nextMs = Math.min(nextMs, connection.expiresMs)
        else {
          this.#idle.splice(this.#idle.indexOf(connection), 1)
          connection.drop()
        }
      }
      if (nextMs < Number.POSITIVE_INFINITY) this.#sweepAfter(nextMs - now)
    })
  }
}
