/** MCP at `/_pinhole/mcp`, for whoever has an admin macaroon. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Desk } from '../admin/call.ts'
import { routeError, sendFailure } from '../admin/failure.ts'
import type { Visitor } from '../admin/guard.ts'
import { PinholeError } from '../base/errors.ts'
import { parseAddress } from '../config/address.ts'
import type { Config } from '../config/load.ts'

/** What the routes are made of. */
export interface McpParts {
  readonly desk: Desk
  /** Who sent a request, before anything is known of him. */
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Visitor
  readonly config: () => Config
}

/** Where it is served. */
export const MCP_PATH = '/_pinhole/mcp'
const MAX_BODY_BYTES = 1_048_576

/** Adds the route. */
export function mcpRoutes(app: FastifyInstance, parts: McpParts): void {
  app.addHook('onRequest', secureHeaders)
  app.setErrorHandler((error, _request, reply) => refuse(reply, routeError(error, parts.desk.log)))
  app.post(MCP_PATH, { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    checkOrigin(request, parts.config())
    const visitor = bearerOf(request, parts.visitor(request, reply))
    const caller = parts.desk.guard.admit(visitor, 'read')
    if (caller instanceof PinholeError) throw caller
    // Few hubs are asked so, and the protocol's code is large.
    const { answerMcp } = await import('./http.ts')
    const write = caller.scopes.has('write')
    const answer = await answerMcp(
      { headers: textHeaders(request), body: request.body },
      { desk: parts.desk, visitor, write },
    )
    if (!answer) return reply.send()
    void reply.code(answer.status).headers(Object.fromEntries(answer.headers))
    return reply.send(await answer.text())
  })
  // No stream of the server's own, and no session that could be ended (Streamable HTTP, "Listening for Messages").
  app.route({
    method: ['GET', 'DELETE'],
    url: MCP_PATH,
    exposeHeadRoute: false,
    handler: (_request, reply) => {
      void reply.header('allow', 'POST')
      refuse(reply, new PinholeError('ERR_ADMIN_METHOD', 'MCP is asked by POST here'))
    },
  })
}

/** `Authorization: Bearer <hex>`, else as at the admin API; a browser's cookies open nothing here. */
function bearerOf({ headers }: FastifyRequest, visitor: Visitor): Visitor {
  const [, bearer] = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '') ?? []
  return { ...visitor, macaroon: bearer ?? visitor.macaroon, session: undefined }
}

/**
 * Against pages whose name was made to point here (DNS rebinding): `Host` would agree with `Origin` then, so the
 * origin is held against names that are known to be ours. Programs send none.
 */
function checkOrigin({ headers: { origin } }: FastifyRequest, config: Config): void {
  if (origin === undefined || config.admin.corsorigins.includes(origin)) return
  const host = URL.canParse(origin) ? new URL(origin).hostname : ''
  if (host !== '' && ownNames(config).includes(host)) return
  const text = `pages of ${origin.slice(0, 100)} may not call this hub`
  throw new PinholeError('ERR_ADMIN_ORIGIN', text)
}

const ownNames = ({ servername, listenaddr, admin }: Config): readonly string[] => [
  ...['localhost', '127.0.0.1', '[::1]', servername.toLowerCase()],
  parseAddress(admin.listenaddr || listenaddr)?.host ?? '',
]

function refuse(reply: FastifyReply, error: PinholeError): void {
  if (error.status === 401) void reply.header('www-authenticate', 'Bearer realm="pinhole"')
  sendFailure(reply, error)
}

const secureHeaders: onRequestHookHandler = (_request, reply, next) => {
  void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  next()
}

/** Those that the protocol looks at. */
function textHeaders({ headers }: FastifyRequest): Record<string, string> {
  const looked = ['accept', 'content-type', 'mcp-protocol-version']
  return Object.fromEntries(
    looked.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}
