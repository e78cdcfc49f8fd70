/** Errors as the admin API says them. */
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { isPinholeError, PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Body of a refused request: Aperture's three fields, and ours. */
export interface FailureBody {
  readonly code: number
  readonly message: string
  readonly details: readonly never[]
  readonly error: string
  readonly advice: string
  readonly docs: string
}

/** How an error goes over the wire. */
export function failureBody(error: PinholeError): FailureBody {
  const { grpc, message, code, advice, docs } = error
  return { code: grpc, message, details: [], error: code, advice, docs }
}

/** What a schema found wrong, as one error. A message of ours names its field by itself. */
export function requestError({ issues }: z.ZodError): PinholeError {
  const texts = issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `unknown field ${JSON.stringify(key)}`).join('; ')
    }
    const field = issue.path.join('.')
    return issue.message.startsWith(field) ? issue.message : `${field}: ${issue.message}`
  })
  return new PinholeError('ERR_ADMIN_REQUEST', texts.join('; '))
}

/** Whatever an operation rejected with. What nobody foresaw is logged and told of without its details. */
export function foreseen(reason: unknown, log: Log): PinholeError {
  if (isPinholeError(reason)) return reason
  log.error({ error: reason }, 'an operation of the admin API failed')
  return new PinholeError('ERR_STORE_OPEN', 'the operation failed; the log of the hub says why', {
    cause: reason,
  })
}

/** An error of a route as it is told of: what Fastify found wrong with a request is the client's mistake. */
export function routeError(reason: unknown, log: Log): PinholeError {
  const status = reason instanceof Error && 'statusCode' in reason ? reason.statusCode : undefined
  const clients = typeof status === 'number' && status >= 400 && status < 500
  if (isPinholeError(reason) || !clients) return foreseen(reason, log)
  return new PinholeError('ERR_ADMIN_REQUEST', reason instanceof Error ? reason.message : '')
}

/** Answers with an error. */
export function sendFailure(reply: FastifyReply, error: PinholeError): void {
  const { retryAfterMs, status } = error
  if (retryAfterMs !== undefined) {
    void reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))))
  }
  void reply.code(status).type('application/json; charset=utf-8').send(failureBody(error))
}
