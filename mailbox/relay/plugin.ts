/**
 * The relay as a Fastify plugin: gRPC and REST as routes, WebSocket by the server's `upgrade` event. Works on
 * any Fastify 5 server; gRPC needs one that speaks HTTP/2. What a route of it does not match stays Fastify's.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import {
  HASHMAIL_SERVICE,
  REST_PATH,
  REST_RECEIVE_PATH,
  REST_SEND_PATH,
} from '../hashmail/names.ts'
import { grpcTimeoutMs } from './grpc-call.ts'
import { serveGrpc } from './grpc.ts'
import { relayLimits, type RelayLimits } from './limits.ts'
import { registerMetrics } from './metrics.ts'
import { Relay } from './relay.ts'
import { restRoutes, type AddressOf } from './rest.ts'
import { acceptUpgrade, refuseUpgrade } from './websocket-upgrade.ts'
import { serveWebSocket, type WebSocketKind } from './websocket.ts'

/** Settings and collaborators of the relay; all may be left out. */
export interface RelayOptions extends Partial<RelayLimits> {
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** Where the relay's figures are shown; without one they are not. */
  readonly registry?: Registry | undefined
  /** Whose request it is, for the limits of an address; without, the socket's. */
  readonly addressOf?: AddressOf
}

const socketAddress: AddressOf = ({ socket }) => socket.remoteAddress ?? ''

/** Fastify plugin that serves hashmail (LNC §10). */
export async function mailboxRelay(fastify: FastifyInstance, options: RelayOptions): Promise<void> {
  const { log = silentLog, addressOf = socketAddress } = options
  const relay = new Relay(relayLimits(options), options.clock ?? systemClock, log)

  if (options.registry) registerMetrics(relay, options.registry)

  // Bodies are streams that the faces read themselves.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _body, done) => done(null))

  fastify.post<{ Params: { method: string } }>(`/${HASHMAIL_SERVICE}/:method`, (request, reply) =>
    grpcRoute(relay, request, reply, addressOf(request.raw)),
  )
  restRoutes(fastify, relay, addressOf)
  const onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void =>
    upgrade(relay, fastify.server, { request, socket, head, address: addressOf(request) })
  fastify.server.on('upgrade', onUpgrade)
  fastify.addHook('onClose', async () => void fastify.server.off('upgrade', onUpgrade))
  fastify.addHook('preClose', async () => relay.close())
}

function grpcRoute(
  relay: Relay,
  request: FastifyRequest<{ Params: { method: string } }>,
  reply: FastifyReply,
  address: string,
): void {
  const stream = http2Stream(request.raw)
  const type = request.headers['content-type'] ?? ''
  if (!stream) return void reply.code(505).send('gRPC requires HTTP/2')
  if (!type.startsWith('application/grpc')) {
    return void reply.code(415).send(`invalid gRPC request content-type ${JSON.stringify(type)}`)
  }
  reply.hijack()
  const timeoutMs = grpcTimeoutMs(request.headers)
  serveGrpc(relay, request.params.method, { stream, address, timeoutMs })
}

const WEBSOCKET_KINDS: ReadonlyMap<string, WebSocketKind> = new Map([
  [REST_SEND_PATH, 'send'],
  [REST_RECEIVE_PATH, 'receive'],
  [REST_PATH, 'box'],
])

interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
  /** Of the client. */
  readonly address: string
}

function upgrade(relay: Relay, server: Server, { request, socket, head, address }: Upgrade): void {
  const url = request.url ?? ''
  const [path = ''] = url.split('?')
  const kind = WEBSOCKET_KINDS.get(path)
  if (kind) {
    if (acceptUpgrade(request, socket)) {
      serveWebSocket(relay, kind, { socket, address, head, url })
    }
  } else if (server.listenerCount('upgrade') === 1) {
    // Nobody else would answer: Node leaves an upgrade to its listeners.
    refuseUpgrade(socket, '404 Not Found')
  }
}

/** The bare stream below an HTTP/2 request; Fastify's types know HTTP/1 only. */
function http2Stream(raw: IncomingMessage): ServerHttp2Stream | undefined {
  return raw.httpVersionMajor === 2 && 'stream' in raw
    ? (raw.stream as ServerHttp2Stream)
    : undefined
}
