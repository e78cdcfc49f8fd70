/** `GET /_pinhole/metrics`: the figures on the main port, where the own listener cannot be reached. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { call, type Desk } from './call.ts'
import { routeError, sendFailure } from './failure.ts'
import type { Visitor } from './guard.ts'

/** What the route is made of. */
export interface MetricsRouteParts {
  readonly desk: Desk
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Visitor
  /** Type of the text. */
  readonly contentType: string
}

/** Adds the route. The macaroon may also come as `Authorization: Bearer`, which every Prometheus can send. */
export function metricsRoute(app: FastifyInstance, parts: MetricsRouteParts): void {
  const { desk, visitor, contentType } = parts
  app.setErrorHandler((error, _request, reply) => sendFailure(reply, routeError(error, desk.log)))
  app.get('/_pinhole/metrics', async (request, reply) => {
    const known = visitor(request, reply)
    const macaroon = known.macaroon ?? bearerOf(request)
    const text = await call(desk, 'getMetrics', {}, { ...known, macaroon })
    return reply.type(contentType).header('cache-control', 'no-store').send(text)
  })
}

const bearerOf = ({ headers }: FastifyRequest): string | undefined =>
  /^bearer +([0-9a-f]+) *$/i.exec(headers.authorization ?? '')?.[1]
