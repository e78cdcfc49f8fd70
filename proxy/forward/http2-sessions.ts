/**
 * HTTP/2 connections to one upstream: as many as its limit of concurrent streams makes necessary. One that
 * says goodbye, is silent or breaks gets no more requests, and the next request opens another.
 */
import type net from 'node:net'
import type { Clock } from '../../src/base/clock.ts'
import { Http2Connection } from './http2-connection.ts'

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
    for (const connection of this.#connections) if (connection.hasRoom) return connection
    return undefined
  }

  /** Whether there is a connection that takes requests, now or when one of its streams has ended. */
  get isAlive(): boolean {
    for (const { isOpen } of this.#connections) if (isOpen) return true
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
    const connection: Http2Connection = new Http2Connection(socket, {
      clock: this.#clock,
      idleMs: this.#idleMs,
      onClose: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    if (this.#isRetired) connection.close()
  }

  /** Lets the streams that run end and opens no more. */
  retire(): void {
    this.#isRetired = true
    for (const connection of this.#connections) connection.close()
  }

  /** Closes all connections now. */
  destroy(): void {
    this.#isRetired = true
    for (const connection of [...this.#connections]) connection.destroy()
  }
}
