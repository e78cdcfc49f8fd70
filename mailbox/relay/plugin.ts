/**
 * The relay as a Fastify plugin: gRPC and REST as routes, WebSocket by the server's `upgrade` event. Works on
 * any Fastify 5 server; gRPC needs one that speaks HTTP/2. What a route of it does not match stays Fastify's.
 */
import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import { HASHMAIL_SERVICE } from '../hashmail/names.ts'
import { grpcTimeoutMs } from './grpc-call.ts'
import { serveGrpc } from './grpc.ts'
import { relayLimits, type RelayLimits } from './limits.ts'
import { Relay } from './relay.ts'

/** Settings and collaborators of the relay; all may be left out. */
export interface RelayOptions extends Partial<RelayLimits> {
  readonly clock?: Clock
  readonly log?: Log
}

/** Fastify plugin that serves hashmail (LNC §10). */
export async function mailboxRelay(fastify: FastifyInstance, options: RelayOptions): Promise<void> {
  const log = options.log ?? silentLog
  const relay = new Relay(relayLimits(options), options.clock ?? systemClock, log)

  // Bodies are streams that the faces read themselves.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _body, done) => done(null))

  fastify.post<{ Params: { method: string } }>(`/${HASHMAIL_SERVICE}/:method`, (request, reply) =>
    grpcRoute(relay, request, reply),
  )
  fastify.addHook('preClose', async () => relay.close())
}

function grpcRoute(
  relay: Relay,
  request: FastifyRequest<{ Params: { method: string } }>,
  reply: FastifyReply,
): void {
  const stream = http2Stream(request.raw)
  const type = request.headers['content-type'] ?? ''
  if (!stream) return void reply.code(505).send('gRPC requires HTTP/2')
  if (!type.startsWith('application/grpc')) {
    return void reply.code(415).send(`invalid gRPC request content-type ${JSON.stringify(type)}`)
  }
  reply.hijack()
  const timeoutMs = grpcTimeoutMs(request.headers)
  serveGrpc(relay, request.params.method, { stream, address: request.ip, timeoutMs })
}

/** The bare stream below an HTTP/2 request; Fastify's types know HTTP/1 only. */
function http2Stream(raw: IncomingMessage): ServerHttp2Stream | undefined {
  return raw.httpVersionMajor === 2 && 'stream' in raw
    ? (raw.stream as ServerHttp2Stream)
    : undefined
}
