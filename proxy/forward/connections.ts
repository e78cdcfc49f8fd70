/** All connections to one upstream, whichever protocol it turns out to speak. */
import { TLSSocket } from 'node:tls'
import type net from 'node:net'
import type { Clock } from '../../src/base/clock.ts'
import type { Upstream } from '../service.ts'
import { dial } from './dial.ts'
import type { Exchange } from './exchange.ts'
import { Http1Pool } from './http1-pool.ts'
import { sendHttp1 } from './http1-request.ts'
import { sendHttp2 } from './http2-request.ts'
import { Http2Sessions } from './http2-sessions.ts'

/** Kept-alive connections that turn out closed, one after the other, before a request is given up. */
const MAX_ATTEMPTS = 4
/** RFC 9110 §9.2.2: methods whose second request does nothing that the first has not done. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
])

/** What the upstream speaks, as far as known. */
type Protocol = 'http1' | 'http2' | 'unknown'

export class Connections {
  readonly upstream: Upstream
  readonly http1: Http1Pool
  readonly #http2: Http2Sessions
  readonly #clock: Clock
  #protocol: Protocol
  #isRetired = false

  constructor(upstream: Upstream, clock: Clock) {
    this.upstream = upstream
    this.#clock = clock
    this.#protocol = { http: 'http1', h2c: 'http2', https: 'unknown' }[
      upstream.protocol
    ] as Protocol
    this.http1 = new Http1Pool(upstream, clock, () => this.#forget())
    this.#http2 = new Http2Sessions(() => this.#openHttp2(), upstream.timeouts.idleMs, clock)
  }

  /** Whether it was retired, and another is to be made for what comes. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  /** Sends a request; its exchange hears of all that follows. */
  send(exchange: Exchange): void {
    exchange.attempts++
    if (this.#protocol === 'http1') this.#sendHttp1(exchange)
    else this.#sendHttp2(exchange)
  }

  /** Closes what is idle now and the rest as its requests end. */
  retire(): void {
    this.#isRetired = true
    this.#http2.retire()
    this.http1.retire()
  }

  /** Closes everything now. */
  destroy(): void {
    this.#isRetired = true
    this.#http2.destroy()
    this.http1.destroy()
  }

  #sendHttp1(exchange: Exchange): void {
    sendHttp1(this.http1, exchange, this.#clock, () => this.#retry(exchange))
  }

  #sendHttp2(exchange: Exchange): void {
    if (exchange.isOver) return
    const connection = this.#http2.free()
    if (connection) {
      try {
        sendHttp2(connection, exchange, this.#clock, () => this.#retry(exchange))
      } catch (reason) {
        exchange.fail(reason)
      }
      return
    }
    this.#http2.more().then(
      () => {
        if (this.#protocol === 'http1') this.#sendHttp1(exchange)
        else if (this.#http2.isAlive) this.#sendHttp2(exchange)
        else this.#retry(exchange)
      },
      (reason: unknown) => exchange.fail(reason),
    )
  }

  #retry(exchange: Exchange): void {
    if (exchange.isOver) return
    const { method } = exchange.outgoing
    if (exchange.attempts < MAX_ATTEMPTS && IDEMPOTENT.has(method)) this.send(exchange)
    else exchange.fail(new Error('the connection was closed by the upstream'))
  }

  /** A socket that speaks HTTP/2; none when ALPN settled on HTTP/1.1, which is remembered. */
  async #openHttp2(): Promise<net.Socket | undefined> {
    const { upstream } = this
    if (upstream.protocol !== 'https') return dial(upstream, [], this.#clock)
    const socket = await dial(upstream, ['h2', 'http/1.1'], this.#clock)
    if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2') {
      this.#protocol = 'http2'
      return socket
    }
    this.#protocol = 'http1'
    this.http1.adopt(socket)
    return undefined
  }

  /** The upstream may come back as another server. */
  #forget(): void {
    if (this.upstream.protocol === 'https') this.#protocol = 'unknown'
  }
}
