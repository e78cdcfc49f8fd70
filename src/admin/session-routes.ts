/**
 * `/_pinhole/session`: POST logs a browser in, GET says what its session opens, DELETE ends it. And the session of
 * any other request, by its cookie. Requests of other sites are refused by what browsers say of where they come
 * from, and by a header that no form can send.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Arrival, cameByTls } from '../../proxy/arrival.ts'
import { CONSOLE_COOKIES } from '../../proxy/forward/credential.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { requestError, routeError, sendFailure } from './failure.ts'
import type { Entry, Sessions } from './session.ts'

/** What the routes are made of. */
export interface SessionRoutesParts {
  readonly sessions: Sessions
  readonly arrival: (request: FastifyRequest) => Arrival
  readonly log: Log
}

/** Where the console is. */
export const CONSOLE_PATH = '/_pinhole/'
const SESSION_PATH = '/_pinhole/session'
/** Its mere presence says that a script of this origin sent the request. */
export const CONSOLE_HEADER = 'x-pinhole-console'
/** Larger than any macaroon that is taken. */
const MAX_BODY_BYTES = 65_536

const login = z.union([
  z.strictObject({ code: z.string().min(1).max(128) }),
  z.strictObject({ macaroon: z.string().regex(/^\s*[0-9a-f]+\s*$/i, 'must be hex') }),
])

/** Adds the routes. */
export function sessionRoutes(app: FastifyInstance, parts: SessionRoutesParts): void {
  const { sessions, arrival, log } = parts
  app.addHook('onRequest', (_request, reply, next) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    next()
  })
  app.setErrorHandler((error, _request, reply) => {
    sendFailure(reply, routeError(error, log))
  })
  app.post(SESSION_PATH, { bodyLimit: MAX_BODY_BYTES }, (request, reply) => {
    const arrived = arrival(request)
    requireOwnPage(request)
    requirePrivate(arrived)
    const read = login.safeParse(request.body)
    if (!read.success) throw requestError(read.error)
    const key = 'code' in read.data ? read.data : { macaroon: read.data.macaroon.trim() }
    const opened = sessions.open(key, arrived.address)
    if (opened instanceof PinholeError) throw opened
    const seconds = Math.floor((opened.endsAtMs - arrived.wallMs) / 1_000)
    void reply.header('set-cookie', cookie(opened.secret, seconds, cameByTls(arrived)))
    void reply.send(shown(opened))
  })
  app.get(SESSION_PATH, (request, reply) => {
    const entry = sessionOf(request, parts)
    // Whoever has none may ask: a page that is opened does, and nothing is wrong then.
    void reply.send(entry ? shown(entry) : { scopes: [], expires_at: '' })
  })
  app.delete(SESSION_PATH, (request, reply) => {
    const arrived = arrival(request)
    requireOwnPage(request)
    const secure = cameByTls(arrived)
    sessions.end(secretOf(request, secure) ?? '', arrived.address)
    void reply
      .header('set-cookie', cookie('', 0, secure))
      .code(204)
      .send()
  })
}

/** What the session of a request opens. @throws ERR_ADMIN_ORIGIN when another site sent it */
export function sessionOf(
  request: FastifyRequest,
  { sessions, arrival }: Pick<SessionRoutesParts, 'sessions' | 'arrival'>,
): Entry | undefined {
  const arrived = arrival(request)
  const secret = secretOf(request, cameByTls(arrived))
  const entry = secret === undefined ? undefined : sessions.entry(secret, arrived.address)
  if (entry) requireOwnPage(request)
  return entry
}

const shown = ({ scopes, endsAtMs }: Entry) => ({
  scopes: [...scopes].filter((scope) => scope !== 'none'),
  expires_at: new Date(endsAtMs).toISOString(),
})

/** Browsers take a `__Host-` cookie by TLS only, and then from this host alone. */
const nameOf = (secure: boolean): string => CONSOLE_COOKIES[secure ? 'secure' : 'cleartext']

function cookie(value: string, seconds: number, secure: boolean): string {
  const attributes = `Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Strict`
  return `${nameOf(secure)}=${value}; ${attributes}${secure ? '; Secure' : ''}`
}

function secretOf({ headers }: FastifyRequest, secure: boolean): string | undefined {
  const start = `${nameOf(secure)}=`
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
}

/** What reads only may be opened by its address, such as the CSV; nothing may come from another site. */
function requireOwnPage({ method, headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site']
  const reads = method === 'GET' || method === 'HEAD'
  const own = site === undefined ? reads || isOwnOrigin(headers) : site === 'same-origin'
  const opened = reads && site === 'none'
  if (!(own || opened) || !(reads || headers[CONSOLE_HEADER] !== undefined)) {
    throw new PinholeError('ERR_ADMIN_ORIGIN', 'the request does not come from the console')
  }
}

function isOwnOrigin({ origin, host, ...headers }: FastifyRequest['headers']): boolean {
  const authority = headers[':authority'] ?? host
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === authority
}

/** A macaroon and a cookie are not for others on the way. */
function requirePrivate(arrived: Arrival): void {
  if (cameByTls(arrived)) return
  const { host = '' } = arrived.req.headers
  if (/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host)) return
  const text = 'the console lets nobody in by cleartext from another machine'
  throw new PinholeError('ERR_ADMIN_CLEARTEXT', text)
}
