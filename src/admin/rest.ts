/** The REST face: a route for each operation of the contract. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { PinholeError } from '../base/errors.ts'
import { call, type Desk } from './call.ts'
import { operations as contract, type OperationName, REST_PREFIX } from './contract.ts'
import { eventStream } from './event-stream.ts'
import { routeError, sendFailure } from './failure.ts'
import type { Visitor } from './guard.ts'
import { openApi } from './openapi.ts'

/** What the REST face is made of. */
export interface RestParts {
  readonly desk: Desk
  /** Who sent a request, before anything is known of him. */
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Visitor
  /** Web pages that may call (`admin.corsorigins`); `*` is any. */
  readonly origins: () => readonly string[]
}

const MAX_BODY_BYTES = 2_097_152
const TYPES = {
  csv: 'text/csv; charset=utf-8',
  yaml: 'application/yaml; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  events: 'text/event-stream; charset=utf-8',
} as const

/** Adds the routes below `/api/admin`. */
export function restRoutes(app: FastifyInstance, parts: RestParts): void {
  app.addHook('onRequest', secureHeaders)
  app.addHook('onRequest', (request, reply, next) => {
    allowOrigin(parts.origins(), request, reply)
    next()
  })
  app.setErrorHandler((error, _request, reply) => {
    sendFailure(reply, routeError(error, parts.desk.log))
  })
  readJson(app)
  for (const name of Object.keys(contract)) {
    if (isOperation(name)) route(app, name, parts)
  }
  app.get(`${REST_PREFIX}/openapi.json`, async () => openApi())
  refuseOthers(app)
}

/** Whatever a body says it is, it is read as JSON, as at a gRPC gateway; an empty one is an empty object. */
function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, {})
    else {
      void parse(request, String(body), (error, value) => {
        done(error && new PinholeError('ERR_ADMIN_REQUEST', 'the body is no JSON'), value)
      })
    }
  })
}

const isOperation = (name: string): name is OperationName => Object.hasOwn(contract, name)

function route(app: FastifyInstance, name: OperationName, parts: RestParts): void {
  const { method, path, answer = 'json' } = contract[name]
  app.route({
    method,
    url: REST_PREFIX + path.replace(/\{(\w+)\}/g, ':$1'),
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoute: false,
    async handler(request, reply) {
      const visitor = parts.visitor(request, reply)
      const value: unknown = await call(parts.desk, name, valuesOf(request), visitor)
      if (answer === 'json') return reply.send(value)
      void reply.type(TYPES[answer])
      if (answer === 'csv') return reply.send(Readable.from(partsOf(value), { objectMode: false }))
      if (answer !== 'events') return reply.send(value)
      return reply.send(Readable.from(eventStream(value), { objectMode: false }))
    },
  })
}

/** A long text, whose parts are made as they are sent. */
async function* partsOf(value: unknown): AsyncGenerator<string, void, undefined> {
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return
  yield* value as AsyncIterable<string>
}

/** Query, body and path parameters as one request; the path wins, as at a gRPC gateway. */
function valuesOf({ query, body, params }: FastifyRequest): Record<string, unknown> {
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body))) {
    throw new PinholeError('ERR_ADMIN_REQUEST', 'the body must be a JSON object')
  }
  return { ...inSnakeCase(query), ...inSnakeCase(body), ...record(params) }
}

/** Names may come in lowerCamelCase too, as at a gRPC gateway. */
const inSnakeCase = (value: unknown): object =>
  Object.fromEntries(
    Object.entries(record(value)).map(([name, field]: [string, unknown]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      field,
    ]),
  )

const record = (value: unknown): object =>
  typeof value === 'object' && value !== null ? value : {}

/** Every path of the contract with its methods, those without parameters first. */
const PATHS = [...new Set(Object.values(contract).map(({ path }) => path))]
  .map((path) => ({
    url: REST_PREFIX + path,
    fixed: !path.includes('{'),
    pattern: new RegExp(`^${REST_PREFIX}${path.replace('.', '[.]').replace(/\{\w+\}/g, '[^/]+')}$`),
    methods: Object.values(contract)
      .filter((one) => one.path === path)
      .map(({ method }): string => method),
  }))
  .sort((a, b) => Number(b.fixed) - Number(a.fixed))

/** Wrong methods and paths that are none: before a body is read, or its type judged. */
function refuseOthers(app: FastifyInstance): void {
  for (const { url, methods } of PATHS.filter(({ fixed }) => fixed)) {
    // Else it would be taken for a parameter, such as a token id `decode`.
    const method = app.supportedMethods.filter((one) => !methods.includes(one))
    app.route({ method, url, exposeHeadRoute: false, onRequest: refuse, handler() {} })
  }
  app.all(`${REST_PREFIX}/*`, { onRequest: refuse }, () => {})
}

const refuse: onRequestHookHandler = ({ method, url }, reply) => {
  const [path = ''] = url.split('?')
  const known = PATHS.find(({ pattern }) => pattern.test(path))
  if (known) void reply.header('allow', [...known.methods, 'OPTIONS'].join(', '))
  if (method === 'OPTIONS') void reply.code(204).send()
  else if (known) sendFailure(reply, new PinholeError('ERR_ADMIN_METHOD', 'Method Not Allowed'))
  else sendFailure(reply, new PinholeError('ERR_ADMIN_NOT_FOUND', 'Not Found'))
}

const secureHeaders: onRequestHookHandler = (_request, reply, next) => {
  void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  next()
}

function allowOrigin(
  origins: readonly string[],
  { headers: { origin } }: FastifyRequest,
  reply: FastifyReply,
): void {
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return
  void reply.headers({
    'access-control-allow-origin': origins.includes('*') ? '*' : origin,
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': 'Content-Type, Grpc-Metadata-Macaroon',
    'access-control-expose-headers': 'Retry-After',
    vary: 'Origin',
  })
}
