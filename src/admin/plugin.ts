/** The admin API as a Fastify plugin: REST at `/api/admin`, gRPC at `/adminrpc.Admin`, MCP, logins at `/_pinhole/session`. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { arrive } from '../../proxy/arrival.ts'
import type { TrustedProxies } from '../../proxy/client-address.ts'
import { mcpRoutes } from '../mcp/plugin.ts'
import type { Desk } from './call.ts'
import type { AdminDeps } from './deps.ts'
import { grpcRoutes } from './grpc.ts'
import { Guard, type Visitor } from './guard.ts'
import { openAdminKey } from './key-files.ts'
import { metricsRoute } from './metrics-route.ts'
import { hubOperations } from './operations.ts'
import { loginOperations } from './operations/login.ts'
import { restRoutes } from './rest.ts'
import { sessionOf, sessionRoutes } from './session-routes.ts'
import { Sessions } from './session.ts'

/** What the admin API is made of. */
export interface AdminOptions {
  readonly deps: AdminDeps
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trusted: () => TrustedProxies
}

/** Serves the admin API. @throws ERR_ADMIN_KEY */
export const adminApi: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  const { deps, trusted } = options
  const { config, clock, log } = deps
  const rootKey = openAdminKey(config().admin.macaroonpath)
  const sessions = new Sessions({ rootKey, clock, log })
  const arrival = ({ raw }: FastifyRequest) => arrive(raw, trusted(), clock)
  const desk: Desk = {
    operations: { ...hubOperations(deps), ...loginOperations(sessions) },
    guard: new Guard({ rootKey, clock, log }),
    log,
  }
  const visitor = (request: FastifyRequest, reply: FastifyReply): Visitor => {
    const { address } = arrival(request)
    return { macaroon: macaroonOf(request), address, signal: goneSignal(reply) }
  }
  // A browser has REST alone.
  const restVisitor = (request: FastifyRequest, reply: FastifyReply): Visitor => {
    const known = visitor(request, reply)
    const { macaroon, address, signal } = known
    const entry = macaroon === undefined ? sessionOf(request, { sessions, arrival }) : undefined
    return entry ? { ...known, session: { ...entry, address, signal } } : known
  }
  await app.register(async (rest) => {
    restRoutes(rest, { desk, visitor: restVisitor, origins: () => config().admin.corsorigins })
  })
  await app.register(async (login) => sessionRoutes(login, { sessions, arrival, log }))
  await app.register(async (grpc) => grpcRoutes(grpc, { desk, visitor }))
  await app.register(async (figures) => {
    const { contentType } = deps.metrics.registry
    metricsRoute(figures, { desk, visitor: restVisitor, contentType })
  })
  await app.register(async (mcp) => mcpRoutes(mcp, { desk, visitor, config }))
}

/** gRPC names its metadata without the gateway's prefix. The first value counts (Aperture). */
function macaroonOf({ headers }: FastifyRequest): string | undefined {
  const sent = headers['grpc-metadata-macaroon'] ?? headers['macaroon']
  const text = typeof sent === 'object' ? sent[0] : sent
  return text?.split(',')[0]?.trim()
}

function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  return gone.signal
}
