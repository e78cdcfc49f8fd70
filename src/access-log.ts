/**
 * One line for each request, once it is over: `logging.access`. Only what is named here is written, and of the
 * URL only the path, so that no credential can come into it. Where it is off nothing of this runs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { onRequestHookHandler } from 'fastify'
import type { PaywallOptions } from '../proxy/options.ts'
import { PAY_PATH } from '../proxy/page/script.ts'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import { plainAddress } from './listener/network.ts'

/** What a client may make a line longer by. */
const MAX_PATH_CHARS = 512
const MAX_HOST_CHARS = 255

type Request = IncomingMessage | Parameters<NonNullable<PaywallOptions['onDecided']>>[0]

/** What the paywall has decided of a request. */
interface Decided {
  readonly address: string
  /** Empty when no service matched. */
  readonly service: string
  readonly outcome: string
}

/** Writes the lines. */
export class AccessLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #decided = new WeakMap<Request, Decided>()

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** For Fastify's root: every request passes here first. */
  readonly hook: onRequestHookHandler = ({ raw: req, id }, { raw: res }, done) => {
    const line = this.#begin(req, id)
    const written = countWritten(req, res)
    res.once('close', () => line(statusOf(res), written()))
    done()
  }

  /** For the paywall: what comes by the fast path passes no hook. */
  readonly onFastPath: NonNullable<PaywallOptions['onFastPath']> = (req, reply, id) => {
    const line = this.#begin(req, id)
    const { socket } = req
    const before = socket.bytesWritten
    reply.onOver((complete) => {
      const { status } = reply
      const seen = status === undefined ? {} : { status }
      line(complete ? seen : { ...seen, cut: true }, socket.bytesWritten - before)
    })
  }

  /** For the paywall. An upgrade does not pass the hook, and has its line when its connection is over. */
  readonly decided: NonNullable<PaywallOptions['onDecided']> = (
    req,
    address,
    service,
    outcome,
    id,
  ) => {
    this.#decided.set(req, { address, service, outcome })
    if (!('upgrade' in req.headers) || req.httpVersionMajor !== 1) return
    const startedAt = this.#clock.now()
    const { request } = look(req)
    const { socket } = req
    const before = socket.bytesWritten
    socket.once('close', () => {
      const bytes = socket.bytesWritten - before
      const ms = Math.round(this.#clock.now() - startedAt)
      const named = service === '' ? undefined : service
      this.#log.info({ id, address, ...request, bytes, ms, service: named, outcome }, 'upgrade')
    })
  }

  /** The line of a request that has come, to be written when it is over. */
  #begin(req: Request, id: string): (ended: Ended, bytes: number) => void {
    const startedAt = this.#clock.now()
    const seen = look(req)
    return (ended, bytes) => {
      const { service, outcome, address = seen.address } = this.#decided.get(req) ?? {}
      this.#log.info(
        {
          id,
          address,
          ...seen.request,
          ...ended,
          bytes,
          ms: Math.round(this.#clock.now() - startedAt),
          service: service === '' ? undefined : service,
          outcome,
        },
        'request',
      )
    }
  }
}

function look(req: Request) {
  const { headers, method, url = '', httpVersion, socket } = req
  const host = headers[':authority'] ?? headers.host
  return {
    address: plainAddress(socket.remoteAddress ?? ''),
    request: {
      method,
      host: typeof host === 'string' ? host.slice(0, MAX_HOST_CHARS) : undefined,
      path: pathOf(url),
      http: httpVersion,
    },
  }
}

/** The path alone: no query, and of an absolute URL no user either. What follows the page's path is a secret. */
export function pathOf(url: string): string {
  const [whole = ''] = url.split(/[?#]/, 1)
  const path = whole.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
  return path.startsWith(PAY_PATH) ? `${PAY_PATH}…` : path.slice(0, MAX_PATH_CHARS)
}

const streamOf = (res: object): ServerHttp2Stream | undefined =>
  'stream' in res ? (res.stream as ServerHttp2Stream | undefined) : undefined

/** Without a status when the request ended before it was answered. */
interface Ended {
  readonly status?: number
  /** Not all of the answer was sent. */
  readonly cut?: true
}

function statusOf(res: ServerResponse): Ended {
  const stream = streamOf(res)
  const status = stream ? stream.sentHeaders?.[':status'] : res.statusCode
  const whole = stream ? stream.writableFinished && !stream.aborted : res.writableFinished
  return {
    ...((stream ? stream.headersSent : res.headersSent) ? { status: Number(status) } : {}),
    ...(whole ? {} : { cut: true }),
  }
}

/** Bytes given to the client: with the head in HTTP/1.1, of the body in HTTP/2, where heads are compressed. */
function countWritten(req: IncomingMessage, res: ServerResponse): () => number {
  const stream = streamOf(res)
  if (!stream) {
    const { socket } = req
    const before = socket.bytesWritten
    return () => socket.bytesWritten - before
  }
  let bytes = 0
  const count = (chunk: unknown): void => {
    if (typeof chunk === 'string') bytes += Buffer.byteLength(chunk)
    else if (chunk instanceof Uint8Array) bytes += chunk.length
  }
  for (const name of ['write', 'end'] as const) {
    const inner = stream[name].bind(stream) as (...given: readonly unknown[]) => never
    stream[name] = (...given: readonly unknown[]) => {
      count(given[0])
      return inner(...given)
    }
  }
  return () => bytes
}
