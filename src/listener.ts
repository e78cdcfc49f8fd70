/**
 * One port for everything. TLS with ALPN, or with `tls: undefined` cleartext, where the first bytes
 * tell HTTP/1.1 and HTTP/2 with prior knowledge (RFC 9113 §3.3) apart:
 *
 *     socket ─► admitted? ─► first bytes ─┬─ TLS ─► ALPN ─┬─ http/1.1 ─► node:http  ─┐
 *                                         └─ cleartext ───┴─ h2 ───────► node:http2 ─┴─► Fastify's handler
 *
 * Each side has its own server, so neither pays for the other. `fastify.server` is the HTTP/1.1 one:
 * it gets the `upgrade` events.
 */
import http from 'node:http'
import type http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyServerFactory } from 'fastify'
import { continueOnRead, continueOnReadHttp2 } from '../proxy/forward/expect.ts'
import { type Clock, systemClock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import { type Log, silentLog } from './base/log.ts'
import { type ConnectionLimits, Connections } from './listener/connections.ts'
import { onFirstBytes, type Speech, tellEveryPause } from './listener/first-bytes.ts'
import { createHttp2Server, type Http2Limits, Sessions } from './listener/sessions.ts'
import { StalledClients } from './listener/stalled.ts'

/** Certificate and key in PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** Takes connections of HTTP/1.1 before Node's server has them; `toNode` gets back what it does not serve. */
export interface ShortWay {
  accept(socket: net.Socket, toNode: (unread: Buffer | undefined) => void): void
  /** Closes what is idle, and the rest as it is answered. */
  drain(): void
}

/** How the port behaves. */
export interface ListenerOptions {
  /** `undefined` listens in cleartext. */
  readonly tls: KeyPair | undefined
  readonly limits: ConnectionLimits & Http2Limits
  /** From the first byte of a request to the end of its headers; also bounds the TLS handshake. */
  readonly headerTimeoutMs: number
  /** A connection without a request; 0 is for ever. */
  readonly idleTimeoutMs: number
  /** A client that takes nothing of an answer for so long is cut, over HTTP/2 the stream; 0 is never. */
  readonly writeTimeoutMs: number
  /** What connections get to end by themselves when draining. */
  readonly drainTimeoutMs: number
}

/** The port, made before Fastify and bound after it. */
export interface Listener {
  /** For Fastify's option of this name. */
  readonly serverFactory: FastifyServerFactory
  /** Binds; `localhost` binds IPv4 and IPv6. Throws `ERR_LISTEN_ADDRESS`. */
  listen(host: string | undefined, port: number): Promise<AddressInfo>
  /** Serves another certificate from the next handshake on. */
  replaceCertificate(tls: KeyPair): void
  /** Open connections. */
  readonly connections: number
  /** Stops to accept, says goodbye, waits for the rest and cuts what outlasts the drain timeout. */
  drain(): Promise<void>
}

const KEEP_ALIVE_PROBE_MS = 30_000
/** How often Node looks for requests that overrun the header timeout. */
const HEADER_CHECK_MS = 1_000
/** How often idle connections are closed while draining. */
const DRAIN_CHECK_MS = 50

type Accept = (socket: net.Socket) => void

/** Takes away what Node does with the event, so that it can be done to chosen sockets only. */
function take(server: net.Server, event: 'connection' | 'secureConnection'): Accept {
  const handlers = server.listeners(event)
  server.removeAllListeners(event)
  return (socket) => {
    for (const handler of handlers) Reflect.apply(handler, server, [socket])
  }
}

const refusal = (status: string, text: string) =>
  `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
  `content-length: ${Buffer.byteLength(text) + 1}\r\n\r\n${text}\n`

/** Makes the port. */
export function createListener(
  options: ListenerOptions,
  deps: { readonly clock?: Clock; readonly log?: Log; readonly shortWay?: ShortWay } = {},
): Listener {
  const { clock = systemClock, log = silentLog, shortWay } = deps
  const connections = new Connections(options.limits)
  const sessions = new Sessions(
    { firstRequestMs: options.headerTimeoutMs, idleMs: options.idleTimeoutMs },
    clock,
    options.limits.packed,
  )
  const stalled = stalledClients(options, clock, log)
  let server: http.Server | undefined
  let second: net.Server | undefined

  const serverFactory: FastifyServerFactory = (handler) => {
    server = createHttp1Server(options, handler)
    // The compatible request and response of node:http2 serve Fastify's handler as node:http's do.
    const h2 = createHttp2Server(
      options.limits,
      handler as unknown as (q: http2.Http2ServerRequest, s: http2.Http2ServerResponse) => void,
    )
    continueOnRead(server)
    continueOnReadHttp2(h2)
    sessions.watch(h2)
    stalled.leaveUpgrades(server)
    connect(server, h2, { options, connections, stalled, log, shortWay })
    return server
  }

  return {
    serverFactory,
    get connections() {
      return connections.size
    },
    async listen(host, port) {
      if (!server) throw new TypeError('listen before Fastify has made its server')
      const main = server
      if (host !== 'localhost') return bind(main, host, port)
      const bound = await bind(main, '127.0.0.1', port)
      second = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        main.emit('connection', socket)
      })
      // A machine without IPv6 has no ::1 and needs none.
      await bind(second, '::1', bound.port).catch(() => (second = undefined))
      return bound
    },
    replaceCertificate(tls) {
      if (server instanceof https.Server) server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' })
    },
    async drain() {
      server?.close()
      second?.close()
      sessions.drain()
      shortWay?.drain()
      const cancelCut = clock.after(options.drainTimeoutMs, () => {
        log.warn({ connections: connections.size }, 'connections cut, they outlasted draintimeout')
        connections.destroy()
      })
      await untilEmpty(connections, clock, () => server?.closeIdleConnections())
      cancelCut()
    },
  }
}

const stalledClients = ({ writeTimeoutMs }: ListenerOptions, clock: Clock, log: Log) =>
  new StalledClients(writeTimeoutMs, clock, ({ remoteAddress: address }) =>
    log.info(
      { address },
      'connection or stream cut, its client took nothing for as long as writetimeout',
    ),
  )

function createHttp1Server(
  { tls, limits, headerTimeoutMs, idleTimeoutMs }: ListenerOptions,
  handler: http.RequestListener,
): http.Server {
  const settings: http.ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: headerTimeoutMs,
    // Bodies have their own deadline (body-deadline.ts), for those of LNC streams have none.
    requestTimeout: 0,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: HEADER_CHECK_MS,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    noDelay: true,
  }
  if (!tls) return http.createServer(settings, handler)
  return https.createServer(
    {
      ...settings,
      ...tls,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: headerTimeoutMs,
    },
    handler,
  )
}

/** What new connections pass. */
interface Door {
  readonly options: ListenerOptions
  readonly connections: Connections
  readonly stalled: StalledClients
  readonly log: Log
  readonly shortWay: ShortWay | undefined
}

/** Puts admission and the switch between protocols in front of both servers. */
function connect(
  server: http.Server,
  h2: http2.Http2Server,
  { options, connections, stalled, log, shortWay }: Door,
): void {
  stalled.watchStreams(h2)
  const secure = options.tls !== undefined
  const accept = take(server, 'connection')
  const acceptHttp2: Accept = (socket) => {
    // The sockets are those of node:http, which stay open for answers when their client has ended its half. A client of
    // HTTP/2 that does so is gone, and with it whatever its streams hold.
    socket.allowHalfOpen = false
    h2.emit('connection', socket)
  }
  const serve: Record<Speech, Accept> = secure
    ? {
        tls: accept,
        http1: refuse('This port speaks TLS: use https:// and not http://.', log),
        http2: refuse('This port speaks TLS: use https:// and not http://.', log),
      }
    : {
        tls: refuse(
          'This port speaks cleartext (insecure: true): use http:// and not https://.',
          log,
        ),
        http1: watched(shortly(readBefore(accept), readBefore(accept), shortWay), stalled),
        http2: acceptHttp2,
      }
  server.on('connection', (socket: net.Socket) => {
    // Whoever owns the socket later hears of its errors too; until then nobody else would.
    socket.on('error', () => {})
    const reason = connections.admit(socket)
    if (reason) {
      log.debug({ address: socket.remoteAddress, reason }, 'connection refused')
      socket.destroy()
    } else onFirstBytes(socket, options.headerTimeoutMs, (speech) => serve[speech](socket))
  })
  if (!secure) return
  const acceptSecure = take(server, 'secureConnection')
  const acceptHttp1 = watched(shortly(acceptSecure, readBefore(acceptSecure), shortWay), stalled)
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') acceptHttp2(socket)
    else acceptHttp1(socket)
  })
}

/** For a socket that somebody has read from. */
const readBefore =
  (accept: Accept): Accept =>
  (socket) => {
    tellEveryPause(socket)
    accept(socket)
  }

const watched =
  (accept: Accept, stalled: StalledClients): Accept =>
  (socket) => {
    stalled.watch(socket)
    accept(socket)
  }

/** Offers a connection to the short way first; what comes back with unread bytes goes to `goOn`. */
function shortly(accept: Accept, goOn: Accept, shortWay: ShortWay | undefined): Accept {
  if (!shortWay) return accept
  return (socket) =>
    shortWay.accept(socket, (unread) => {
      if (!unread) return accept(socket)
      goOn(socket)
      socket.emit('data', unread)
    })
}

function refuse(text: string, log: Log): Accept {
  return (socket) => {
    log.info({ address: socket.remoteAddress }, `connection refused: ${text}`)
    socket.resume()
    socket.end(refusal('400 Bad Request', text), () => socket.destroySoon())
  }
}

function bind(server: net.Server, host: string | undefined, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port))
    server.once('error', onError)
    server.listen({ host, port }, () => {
      server.off('error', onError)
      // A connection that cannot be accepted must not end the process.
      server.on('error', () => {})
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve(address)
    })
  })
}

function listenError(
  cause: NodeJS.ErrnoException,
  host: string | undefined,
  port: number,
): PinholeError {
  const where = host === undefined ? `port ${port}` : `${host}, port ${port}`
  const why =
    {
      EADDRINUSE: 'another program listens there',
      EACCES: 'this user may not use that port',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOTFOUND: 'the name is unknown',
    }[cause.code ?? ''] ?? cause.message
  return new PinholeError('ERR_LISTEN_ADDRESS', `cannot listen on ${where}: ${why}`, { cause })
}

async function untilEmpty(
  connections: Connections,
  clock: Clock,
  sweep: () => void,
): Promise<void> {
  let cancel = () => {}
  const again = () => {
    sweep()
    cancel = clock.after(DRAIN_CHECK_MS, again)
  }
  again()
  await connections.empty()
  cancel()
}
