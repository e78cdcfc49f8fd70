/** What Fastify is made with at every port of the hub. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem, refuse } from '../proxy/answer.ts'
import { arrive } from '../proxy/arrival.ts'
import { parseTrusted } from '../proxy/client-address.ts'
import { send } from '../proxy/send.ts'
import { systemClock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'

/** Bodies of requests to the hub itself; nothing of ours is larger. */
const MAX_ORDINARY_BODY_BYTES = 1_048_576

/** Fastify's router has refused the URL before any route was asked. */
function refuseUrl(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = new PinholeError('ERR_REQUEST_PATH', 'the path has a wrong percent encoding')
  const { asked } = arrive(request.raw, parseTrusted([]), systemClock)
  reply.hijack()
  send(reply.raw, refuse(problem(error, 'bad_path'), asked))
}

/** Answers that there is nothing. */
export const notFound = (request: FastifyRequest, reply: FastifyReply): void =>
  void reply.code(404).send({ error: 'not found', path: request.url })

/** Options of `fastify()`. */
export const APP_OPTIONS = {
  return503OnClosing: false,
  // A name in a path is as long as the limit of the head lets it be.
  routerOptions: { ignoreTrailingSlash: false, maxParamLength: Number.MAX_SAFE_INTEGER },
  bodyLimit: MAX_ORDINARY_BODY_BYTES,
  frameworkErrors: refuseUrl,
}
