/** `GET /_pinhole/health`: whether this hub takes requests, for load balancers and people. */
import type { FastifyPluginCallback } from 'fastify'
import { VERSION } from './version.ts'

/** Body of the answer. */
export interface Health {
  readonly status: 'ok' | 'draining'
  readonly version: string
  readonly uptimeSeconds: number
  /** Absent when this hub has no relay. */
  readonly relay?: { readonly boxes: number }
  /** Absent when this hub sells nothing. */
  readonly nodes?: readonly NodeHealth[]
  /** Whether what is sold reaches the disk; absent when this hub sells nothing. */
  readonly database?: 'ok' | 'failing'
}

/** A node that invoices come from. */
export interface NodeHealth {
  readonly node: string
  readonly state: 'ready' | 'connecting' | 'away'
  /** Invoices made ahead. */
  readonly ready: number
  /** Whether settlements are heard. */
  readonly subscribed: boolean
}

/** What the answer is made of. */
export interface HealthOptions {
  readonly uptimeMs: () => number
  readonly draining: () => boolean
  /** Live cipher boxes; `undefined` when this hub has no relay. */
  readonly boxes: () => Promise<number | undefined>
  /** `undefined` when this hub sells nothing. */
  readonly nodes: () => readonly NodeHealth[] | undefined
  /** `undefined` when this hub sells nothing. */
  readonly storeFails: () => boolean | undefined
}

/** Answers 200, or 503 while the hub drains. */
export const health: FastifyPluginCallback<HealthOptions> = (app, options, done) => {
  app.get('/_pinhole/health', async (_request, reply): Promise<Health> => {
    const draining = options.draining()
    const boxes = await options.boxes()
    const nodes = options.nodes()
    const fails = options.storeFails()
    void reply.code(draining ? 503 : 200).header('cache-control', 'no-store')
    return {
      status: draining ? 'draining' : 'ok',
      version: VERSION,
      uptimeSeconds: Math.floor(options.uptimeMs() / 1_000),
      ...(boxes === undefined ? {} : { relay: { boxes } }),
      ...(nodes ? { nodes } : {}),
      ...(fails === undefined ? {} : { database: fails ? 'failing' : 'ok' }),
    }
  })
  done()
}
