import type { Socket } from 'node:net'
import { PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../link.ts'

/** Bytes read and not yet received at which the socket is paused. */
const READ_AHEAD_BYTES = 512 * 1024

/**
 * A socket as a link of bytes, for a layer that does not care where messages end. `peer` names the other
 * end in errors; `connected` is the event that says that a socket on its way has arrived.
 * A socket that fails makes `send` and `receive` reject with `ERR_AGENT_LND`.
 */
export function socketLink(
  socket: Socket,
  peer: string,
  connected?: 'connect' | 'secureConnect',
): Link {
  return new SocketLink(socket, peer, connected)
}

type Reader = { resolve(message: Uint8Array | undefined): void; reject(error: PinholeError): void }

class SocketLink implements Link {
  readonly #peer: string
  readonly #socket: Socket
  readonly #connected: Promise<void>
  #queue: Uint8Array[] = []
  #queued = 0
  #reader: Reader | undefined
  #state: { is: 'open' } | { is: 'ended' } | { is: 'broken'; error: PinholeError } = { is: 'open' }

  constructor(socket: Socket, peer: string, connected: 'connect' | 'secureConnect' | undefined) {
    this.#peer = peer
    this.#socket = socket
    this.#connected = connected ? this.#once(connected) : Promise.resolve()
    this.#connected.catch(() => {})
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', (cause) => this.#break(cause))
    socket.on('close', () => this.#end())
  }

  async send(message: Uint8Array): Promise<void> {
    await this.#connected
    if (this.#state.is !== 'open') throw this.#error(undefined)
    if (this.#socket.write(message)) return
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#socket.off('drain', go).off('close', go)
        resolve()
      }
      this.#socket.on('drain', go).on('close', go)
    })
  }

  receive(): Promise<Uint8Array | undefined> {
    const bytes = this.#queue.shift()
    if (bytes) {
      this.#queued -= bytes.length
      if (this.#queued < READ_AHEAD_BYTES) this.#socket.resume()
      return Promise.resolve(bytes)
    }
    if (this.#state.is === 'broken') return Promise.reject(this.#state.error)
    if (this.#state.is === 'ended') return Promise.resolve(undefined)
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }))
  }

  close(): Promise<void> {
    this.#socket.destroySoon()
    this.#end()
    return Promise.resolve()
  }

  #once(connected: 'connect' | 'secureConnect'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once(connected, resolve)
      this.#socket.once('close', () => reject(this.#error(undefined)))
    })
  }

  #take(bytes: Buffer): void {
    const reader = this.#reader
    this.#reader = undefined
    if (reader) return reader.resolve(bytes)
    this.#queue.push(bytes)
    this.#queued += bytes.length
    if (this.#queued >= READ_AHEAD_BYTES) this.#socket.pause()
  }

  #break(cause: Error): void {
    if (this.#state.is !== 'open') return
    const error = this.#error(cause)
    this.#state = { is: 'broken', error }
    this.#reader?.reject(error)
    this.#reader = undefined
  }

  #end(): void {
    if (this.#state.is === 'open') this.#state = { is: 'ended' }
    this.#reader?.resolve(undefined)
    this.#reader = undefined
  }

  #error(cause: Error | undefined): PinholeError {
    if (this.#state.is === 'broken') return this.#state.error
    const why = cause ? `: ${reasonOf(cause)}` : ''
    const options = cause ? { cause } : {}
    return new PinholeError(
      'ERR_AGENT_LND',
      `no connection to the node at ${this.#peer}${why}`,
      options,
    )
  }
}

/** OpenSSL's words for a certificate that is not the one that was given are about signing. */
function reasonOf(cause: Error & { readonly code?: string }): string {
  const { code = '', message } = cause
  const another = /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_SIGNATURE/.test(code)
  return another ? `it shows another certificate than the one given (${message})` : message
}
