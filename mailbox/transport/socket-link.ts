/** A TCP or TLS socket as a `Link` of byte pieces. It reads on while a write is pending, and so hears of every end. */
import type { Socket } from 'node:net'

import type { Clock } from '../../src/base/clock.ts'
import { asPinholeError, PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../link.ts'

/** Time to hand over what was written before the socket is cut. */
const CLOSE_TIMEOUT_MS = 500

/** Runs over `socket`, which it owns; `heard` is called before every piece that arrives. */
export class SocketLink implements Link {
  readonly #socket: Socket
  readonly #clock: Clock
  #pieces: Uint8Array[] = []
  #waiting: (() => void) | undefined
  #over = false
  #error: unknown
  #room: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(socket: Socket, clock: Clock, heard: () => void) {
    this.#socket = socket
    this.#clock = clock
    socket.setNoDelay(true)
    socket.on('data', (piece: Uint8Array) => {
      if (this.#closing) return
      heard()
      this.#pieces.push(piece)
      this.#waiting?.()
    })
    socket.on('error', (error: unknown) => (this.#error ??= error))
    socket.on('end', () => this.#end())
    socket.on('close', () => this.#end())
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#over || !this.#socket.writable) throw this.#lost()
    if (this.#socket.write(message)) return
    this.#room ??= this.#drained().finally(() => (this.#room = undefined))
    await this.#room
  }

  async receive(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece) return piece
      if (this.#over && this.#error !== undefined) throw this.#lost()
      if (this.#over || this.#closing) return undefined
      await new Promise<void>((resolve) => (this.#waiting = resolve))
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut()
    return this.#closing
  }

  #shut(): Promise<void> {
    const socket = this.#socket
    this.#waiting?.()
    return new Promise((resolve) => {
      if (socket.closed) return resolve()
      const cut = this.#clock.after(CLOSE_TIMEOUT_MS, () => socket.destroy())
      socket.once('close', () => {
        cut()
        resolve()
      })
      if (socket.connecting || socket.destroyed) socket.destroy()
      else socket.end()
    })
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        this.#socket.off('drain', go).off('close', go)
        resolve()
      }
      this.#socket.on('drain', go).on('close', go)
    })
  }

  #end(): void {
    this.#over = true
    this.#waiting?.()
  }

  #lost(): PinholeError {
    const error = this.#error ?? new PinholeError('ERR_LINK_CLOSED', 'the connection is closed')
    return asPinholeError(error, 'ERR_LINK_CLOSED')
  }
}
