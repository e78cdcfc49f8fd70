/** A TCP or TLS connection to a gRPC server as a link of bytes: message bounds mean nothing here. */
import net from 'node:net'
import tls from 'node:tls'
import { PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../link.ts'

/** Where a node's gRPC port is. */
export interface Target {
  readonly host: string
  readonly port: number
  /** The node's certificate (lnd's tls.cert) in PEM, which alone is trusted; cleartext without it. */
  readonly certificate?: string | Uint8Array
}

/** Milliseconds for TCP and TLS together; the node is near. */
const CONNECT_TIMEOUT_MS = 10_000
/** Bytes read and not yet received at which the socket is paused. */
const READ_AHEAD_BYTES = 512 * 1024

/**
 * Connects in the background: the link is there at once and its first `send` waits. A connection that
 * fails, then or later, makes `send` and `receive` reject with `ERR_AGENT_LND`.
 */
export function dialLink(target: Target): Link {
  return new SocketLink(target)
}

type Reader = { resolve(message: Uint8Array | undefined): void; reject(error: PinholeError): void }

class SocketLink implements Link {
  readonly #target: Target
  readonly #socket: net.Socket
  readonly #connected: Promise<void>
  #queue: Uint8Array[] = []
  #queued = 0
  #reader: Reader | undefined
  #state: { is: 'open' } | { is: 'ended' } | { is: 'broken'; error: PinholeError } = { is: 'open' }

  constructor(target: Target) {
    this.#target = target
    this.#socket = connect(target)
    this.#socket.setNoDelay(true).setKeepAlive(true)
    this.#socket.setTimeout(CONNECT_TIMEOUT_MS, () =>
      this.#socket.destroy(new Error('no connection in time')),
    )
    this.#connected = this.#whenConnected()
    this.#connected.catch(() => {})
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#socket.on('error', (cause) => this.#break(cause))
    this.#socket.on('close', () => this.#end())
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
    this.#socket.end()
    this.#socket.destroySoon()
    this.#end()
    return Promise.resolve()
  }

  #whenConnected(): Promise<void> {
    const secure = this.#socket instanceof tls.TLSSocket
    return new Promise((resolve, reject) => {
      this.#socket.once(secure ? 'secureConnect' : 'connect', () => {
        this.#socket.setTimeout(0)
        resolve()
      })
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
    const { host, port } = this.#target
    const why = cause ? `: ${cause.message}` : ''
    const options = cause ? { cause } : {}
    return new PinholeError(
      'ERR_AGENT_LND',
      `no connection to the node at ${host}:${port}${why}`,
      options,
    )
  }
}

function connect({ host, port, certificate }: Target): net.Socket {
  if (certificate === undefined) return net.connect({ host, port })
  const ca = typeof certificate === 'string' ? certificate : Buffer.from(certificate)
  const servername = net.isIP(host) === 0 ? { servername: host } : {}
  return tls.connect({ host, port, ca, ALPNProtocols: ['h2'], ...servername })
}
