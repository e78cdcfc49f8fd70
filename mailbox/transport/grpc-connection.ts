/** The HTTP/2 connection of a gRPC relay client, on our own HTTP/2 core, with its time limits and pings. */
import net, { type Socket } from 'node:net'
import tls from 'node:tls'

import type { Clock } from '../../src/base/clock.ts'
import type { Http2Connection } from '../../src/http2/connection.ts'
import { runHttp2, type RunningConnection } from '../http2/link-driver.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Http2Stream, StreamEvents } from '../../src/http2/stream.ts'
import { authority, type MailboxAddress } from './address.ts'
import type { RelayFailure } from './failure.ts'
import { failureOfDial, failureOfLoss } from './node-failure.ts'
import { SocketLink } from './socket-link.ts'
import { tlsOptions, type RelayTls } from './tls.ts'

const DIAL_TIMEOUT_MS = 8000
/** A relay may punish pings more often than once a minute (LNC §10.3). */
const PING_EVERY_MS = 65_000
const PING_TIMEOUT_MS = 10_000

const GRPC_FIELDS: readonly Field[] = [
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
]

/** One HTTP/2 connection; unusable for good once it has failed. */
export class GrpcConnection {
  readonly where: string
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #http2: RunningConnection
  readonly #core: Http2Connection
  readonly #fields: readonly Field[]
  #up = false
  #waiting: (() => void)[] = []
  #heard = false
  #error: unknown
  #stopTimer: () => void

  constructor(address: MailboxAddress, options: RelayTls, clock: Clock) {
    this.where = authority(address)
    this.#clock = clock
    this.#fields = [
      [':method', 'POST'],
      [':scheme', address.tls ? 'https' : 'http'],
      [':authority', this.where],
    ]
    this.#socket = dial(address, options)
    const link = new SocketLink(this.#socket, clock, () => this.#hear())
    this.#stopTimer = clock.after(DIAL_TIMEOUT_MS, () => {
      this.#socket.destroy(new Error('timed out'))
    })
    this.#socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      this.#up = true
      for (const listener of this.#waiting.splice(0)) listener()
    })
    this.#socket.on('error', (error: unknown) => (this.#error ??= error))
    this.#socket.on('close', () => this.#stopTimer())
    this.#http2 = runHttp2(link)
    this.#core = this.#http2.connection
  }

  /** Starts a call of `path`. Only while `usable`. */
  request(path: string, events: StreamEvents): Http2Stream {
    return this.#core.request([...this.#fields, [':path', path], ...GRPC_FIELDS], events)
  }

  /** Whether the socket stands, TLS included. */
  get up(): boolean {
    return this.#up
  }

  get usable(): boolean {
    return this.#core.open && !this.#socket.destroyed
  }

  /** Calls `listener` once the socket stands, never before it has returned. */
  onUp(listener: () => void): void {
    if (this.#up) queueMicrotask(listener)
    else this.#waiting.push(listener)
  }

  /** Why streams without an answer of their own have ended. */
  failure(streamError: unknown): RelayFailure {
    const error = this.#error ?? streamError
    // Anything may accept a connection; SETTINGS come from an HTTP/2 server only.
    if (this.#core.settled) return failureOfLoss(error, this.where)
    return failureOfDial(error ?? new Error('closed before it answered'), this.where)
  }

  /** Hands over what was written, within half a second. */
  async close(): Promise<void> {
    await this.#http2.close()
  }

  #hear(): void {
    if (!this.#heard && !this.#core.settled) this.#pingLater()
    this.#heard = true
  }

  #pingLater(): void {
    this.#stopTimer()
    this.#stopTimer = this.#clock.after(PING_EVERY_MS, () => {
      this.#heard = false
      this.#core.ping()
      this.#stopTimer = this.#clock.after(PING_TIMEOUT_MS, () => {
        if (this.#heard) this.#pingLater()
        else this.#socket.destroy(new Error('no answer to a ping'))
      })
    })
  }
}

/** A relay without ALPN is accepted, which a gRPC client library refuses. */
function dial({ host, port, tls: secure }: MailboxAddress, options: RelayTls): Socket {
  if (!secure) return net.connect({ host, port })
  const name = net.isIP(host) === 0 ? { servername: host } : {}
  return tls.connect({ host, port, ...name, ALPNProtocols: ['h2'], ...tlsOptions(options) })
}
