/** The admin API as a Fastify plugin: REST at `/api/admin`, gRPC at `/adminrpc.Admin`. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { arrive } from '../../proxy/arrival.ts'
import type { TrustedProxies } from '../../proxy/client-address.ts'
import type { Desk } from './call.ts'
import type { AdminDeps } from './deps.ts'
import { grpcRoutes } from './grpc.ts'
import { Guard, type Visitor } from './guard.ts'
import { openAdminKey } from './key-files.ts'
import { type Caller, hubOperations } from './operations.ts'
import { restRoutes } from './rest.ts'

/** What the admin API is made of. */
export interface AdminOptions {
  readonly deps: AdminDeps
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trusted: () => TrustedProxies
  /** The caller by his session of the console; asked when no macaroon was sent. */
  readonly session?: ((request: FastifyRequest) => Caller | undefined) | undefined
}

/** Serves the admin API. @throws ERR_ADMIN_KEY */
export const adminApi: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  const { deps, trusted, session } = options
  const { config, clock, log } = deps
  const rootKey = openAdminKey(config().admin.macaroonpath)
  const desk: Desk = {
    operations: hubOperations(deps),
    guard: new Guard({ rootKey, clock, log }),
    log,
  }
  const visitor = (request: FastifyRequest, reply: FastifyReply): Visitor => {
    const macaroon = macaroonOf(request)
    return {
      macaroon,
      address: arrive(request.raw, trusted(), clock).address,
      signal: goneSignal(reply),
      session: macaroon === undefined ? session?.(request) : undefined,
    }
  }
  await app.register(async (rest) => {
    restRoutes(rest, { desk, visitor, origins: () => config().admin.corsorigins })
  })
  await app.register(async (grpc) => grpcRoutes(grpc, { desk, visitor }))
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
