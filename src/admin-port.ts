/**
 * A port for the admin API and the console alone (`admin.listenaddr`): another origin than what is sold, so that no
 * script of an upstream's page is of the console's own.
 */
import fastify, {
  type FastifyInstance,
  type FastifyServerOptions,
  type onRequestHookHandler,
} from 'fastify'
import type { Snapshot } from '../proxy/route.ts'
import { GRPC_SERVICE, REST_PREFIX } from './admin/contract.ts'
import { CONSOLE_PATH } from './admin/session-routes.ts'
import { APP_OPTIONS, notFound } from './app-options.ts'
import type { Clock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { refuseBlocked } from './blocklist.ts'
import type { Certificate } from './certificate.ts'
import { boundUrl, parseAddress } from './config/address.ts'
import { health, type HealthOptions } from './health.ts'
import { createListener, type ListenerOptions } from './listener.ts'
import { limitBodies } from './listener/body-deadline.ts'

/** What the port is made of. */
export interface AdminPortParts {
  /** `admin.listenaddr`. */
  readonly listenaddr: string
  /** As those of the hub's own port; `tls` is the certificate's. */
  readonly listener: ListenerOptions
  readonly certificate: Certificate | undefined
  readonly genReqId: FastifyServerOptions['genReqId']
  readonly readTimeoutMs: number
  readonly snapshot: () => Snapshot
  readonly health: HealthOptions
  /** Adds the admin API and the console. */
  readonly serve: (app: FastifyInstance) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** The port, which binds on `listen`. */
export interface AdminPort {
  /** Resolves with its URL. Throws `ERR_LISTEN_ADDRESS`. */
  listen(): Promise<string>
  /** Drains and ends. */
  close(): Promise<void>
}

/** Makes the port; nothing is bound. */
export async function openAdminPort(parts: AdminPortParts): Promise<AdminPort> {
  const { listenaddr, certificate, clock, log } = parts
  const listener = createListener(parts.listener, { clock, log: log.child({ part: 'listener' }) })
  certificate?.onReplaced((pair) => listener.replaceCertificate(pair))
  const { genReqId } = parts
  const app = fastify({
    serverFactory: listener.serverFactory,
    ...APP_OPTIONS,
    ...(genReqId ? { genReqId } : {}),
  })
  refuseBlocked(app, parts.snapshot)
  limitBodies(app, parts.readTimeoutMs, clock)
  await app.register(health, parts.health)
  await parts.serve(app)
  app.setNotFoundHandler(notFound)
  app.addHook('onClose', () => listener.drain())
  await app.ready()
  return {
    async listen() {
      const { host, port } = parseAddress(listenaddr) ?? { host: undefined, port: 0 }
      const bound = await listener.listen(host, port).catch((cause: unknown) => {
        const text = cause instanceof Error ? cause.message : String(cause)
        throw new PinholeError('ERR_LISTEN_ADDRESS', `admin.listenaddr: ${text}`, { cause })
      })
      const url = boundUrl(parts.listener.tls === undefined, host, bound.port)
      log.info({ address: url }, 'the admin API and the console have a port of their own')
      return url
    },
    async close() {
      await app.close()
    },
  }
}

/** What stands at the port of what is sold in the place of what has moved to one of its own; no service gets it. */
export function leaveNothingOfAdmin(app: FastifyInstance): void {
  const console = CONSOLE_PATH.slice(0, -1)
  const moved = [REST_PREFIX, `${REST_PREFIX}/*`, console, `${console}/*`, `/${GRPC_SERVICE}/*`]
  // Before a body is read, or its type judged.
  for (const url of moved) app.all(url, { onRequest: notHere }, () => {})
}

const notHere: onRequestHookHandler = (request, reply) => notFound(request, reply)
