/**
 * Connections to an HTTP/1.1 upstream. Requests without a body, the most by far, go by undici, which is
 * twice as fast as Node's client. Node's takes the rest, for undici holds the head back until there is
 * something of the body, knows no 100 and no trailers of requests, and closes the connection after HEAD.
 */
import http from 'node:http'
import type net from 'node:net'
import { Pool, type Dispatcher } from 'undici'
import type { Clock } from '../../src/base/clock.ts'
import type { Upstream } from '../service.ts'
import { type Alpn, dial, hostOf } from './dial.ts'

const HTTP1: Alpn = ['http/1.1']
/** undici and Node count in 32 bits. */
const FOR_EVER_MS = 2 ** 31 - 1
/** Connections that Node's client keeps without a request. */
const MAX_IDLE_SOCKETS = 256
/** A server that says how long it keeps a connection is believed up to so much before that. */
const KEEP_ALIVE_MARGIN_MS = 1_000

export class Http1Pool {
  readonly #upstream: Upstream
  readonly #clock: Clock
  readonly #onUnreachable: () => void
  readonly #pool: Pool
  readonly #agent: http.Agent
  /** A connection that was made to find out the protocol. */
  #spare: net.Socket | undefined
  /** The `Host` that undici sends by itself. */
  readonly impliedHost: string

  constructor(upstream: Upstream, clock: Clock, onUnreachable: () => void) {
    this.#upstream = upstream
    this.#clock = clock
    this.#onUnreachable = onUnreachable
    // The connector does TLS, so undici need not know of it.
    const origin = `http://${hostOf(upstream)}`
    this.impliedHost = new URL(origin).host
    const idleMs = upstream.timeouts.idleMs || FOR_EVER_MS
    this.#pool = new Pool(origin, {
      connect: (_options, callback) => {
        this.#connect().then(
          (socket) => callback(null, socket),
          (reason: Error) => callback(reason, null),
        )
      },
      pipelining: 1,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      // One sweep watches over all requests (deadlines.ts).
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.#agent = new http.Agent({
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_SOCKETS,
      timeout: upstream.timeouts.idleMs,
      scheduling: 'lifo',
    })
    this.#agent.createConnection = (_options, callback) => {
      this.#connect().then(
        (socket) => callback?.(null, socket),
        (reason: Error) => callback?.(reason, undefined as never),
      )
      return undefined
    }
  }

  get dispatcher(): Dispatcher {
    return this.#pool
  }

  get agent(): http.Agent {
    return this.#agent
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
    return this.#connect()
  }

  /** Closes idle connections now and the others as their requests end. */
  async retire(): Promise<void> {
    this.#spare?.destroy()
    this.#agent.maxFreeSockets = 0
    for (const idle of Object.values(this.#agent.freeSockets)) {
      for (const socket of idle ?? []) socket.destroy()
    }
    await this.#pool.close()
  }

  /** Closes all connections now. */
  async destroy(): Promise<void> {
    this.#spare?.destroy()
    this.#agent.destroy()
    await this.#pool.destroy()
  }

  async #connect(): Promise<net.Socket> {
    const spare = this.#spare
    this.#spare = undefined
    if (spare && !spare.destroyed && !spare.readableEnded) return watched(spare)
    try {
      return watched(await dial(this.#upstream, HTTP1, this.#clock))
    } catch (reason) {
      this.#onUnreachable()
      throw reason
    }
  }
}

/**
 * undici takes a reset for the end of a body that ends with its connection, and so would pass a broken
 * answer on as a whole one. Under another name it takes it for the error that it is.
 */
function watched(socket: net.Socket): net.Socket {
  return socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') error.code = 'ERR_UPSTREAM_RESET'
    bytesReadAt.set(error, socket.bytesRead)
  })
}

const bytesReadAt = new WeakMap<Error, number>()

/** Whether a connection that failed with `error` had served a request before. */
export function wasUsed(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ((bytesReadAt.get(error) ?? 0) > 0) return true
  // undici's own errors tell of their socket.
  const socket: unknown = 'socket' in error ? error.socket : undefined
  if (typeof socket !== 'object' || socket === null || !('bytesRead' in socket)) return false
  return typeof socket.bytesRead === 'number' && socket.bytesRead > 0
}
