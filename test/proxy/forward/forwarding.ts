/** A hub that only forwards: the listener, a catch-all route and a `Forwarder`, for tests against real upstreams. */
import http from 'node:http'
import type { Http2Server } from 'node:http2'
import type net from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import fastify from 'fastify'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { createListener, type KeyPair } from '../../../src/listener.ts'
import { OPTIONS } from '../../listener/serving.ts'
import { Forwarder, replyTo } from '../../../proxy/forward/forward.ts'
import type { Outcome, Passage } from '../../../proxy/forward/passage.ts'
import type { Service, Upstream } from '../../../proxy/service.ts'
import { shortWay } from '../fast-path/short-way.ts'
import { service as compiled } from '../services.ts'

export const TIMEOUTS = { connectMs: 2_000, headerMs: 5_000, bodyMs: 5_000, idleMs: 10_000 }

/** A service that is free and has `upstream`. */
export function service(upstream: Partial<Upstream>, rest: Partial<Service> = {}): Service {
  const standard = compiled({ name: 'shop', auth: { level: 'off' } })
  const own = { address: '127.0.0.1:1', timeouts: TIMEOUTS, ...upstream }
  return { ...standard, upstream: { ...standard.upstream, ...own }, ...rest }
}

export interface HubOptions {
  readonly clock?: Clock
  readonly tls?: KeyPair
  readonly writeTimeoutMs?: number
  readonly passage?: Partial<Passage>
  readonly onServer?: (server: http.Server) => void
}

export interface RunningHub {
  readonly port: number
  readonly url: string
  readonly forwarder: Forwarder
  readonly outcomes: Outcome[]
  /** Resolves with the next outcome. */
  next(): Promise<Outcome>
}

export function passageOf(
  req: { url?: string | undefined; method?: string | undefined; headers: http.IncomingHttpHeaders },
  of: Service,
  rest: Partial<Passage> = {},
): Passage {
  const url = req.url ?? '/'
  const [path = '', query = ''] = url.split('?')
  const authority = req.headers[':authority']
  const host = typeof authority === 'string' ? authority : (req.headers.host ?? '')
  return {
    service: of,
    target: { host, method: req.method ?? 'GET', url, path, query, readings: [] },
    clientAddress: '127.0.0.1',
    secure: false,
    ...rest,
  }
}

export async function startHub(
  t: Pick<TestContext, 'after'>,
  to: Service | (() => Service),
  { clock = systemClock, tls, writeTimeoutMs = 0, passage = {}, onServer }: HubOptions = {},
): Promise<RunningHub> {
  const fastPath = shortWay(systemClock)
  const listener = createListener(
    { ...OPTIONS, tls, drainTimeoutMs: 50 },
    fastPath ? { shortWay: fastPath } : {},
  )
  const forwarder = new Forwarder({ clock, log: silentLog, writeTimeoutMs })
  const app = fastify({ serverFactory: listener.serverFactory, exposeHeadRoutes: false })
  const outcomes: Outcome[] = []
  const waiting: ((outcome: Outcome) => void)[] = []
  const settled = (outcome: Outcome) => {
    outcomes.push(outcome)
    waiting.shift()?.(outcome)
  }
  const current = typeof to === 'function' ? to : () => to
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/*', (request, reply) => {
    reply.hijack()
    void forwarder
      .request(
        request.raw,
        replyTo(request.raw, reply.raw),
        passageOf(request.raw, current(), passage),
      )
      .then(settled)
  })
  fastPath?.serve((req, reply) => {
    void forwarder.request(req, reply, passageOf(req, current(), passage)).then(settled)
    return true
  })
  app.server.on('upgrade', (req: http.IncomingMessage, socket, head: Buffer) => {
    void forwarder.upgrade(req, socket, head, passageOf(req, current(), passage)).then(settled)
  })
  await app.ready()
  onServer?.(app.server)
  const { port } = await listener.listen('127.0.0.1', 0)
  t.after(async () => {
    forwarder.close()
    await Promise.all([listener.drain(), app.close()])
  })
  return {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    forwarder,
    outcomes,
    next: () => new Promise((resolve) => waiting.push(resolve)),
  }
}

/** Listens on a free port, until the test is over. */
export async function listenOn(
  t: Pick<TestContext, 'after'>,
  server: http.Server | Http2Server | net.Server,
): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    if (server instanceof http.Server) server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly trailers: NodeJS.Dict<string>
  readonly body: Buffer
}

/** One HTTP/1.1 request on a connection of its own; rejects when the answer is broken off. */
export function ask(
  url: string,
  options: http.RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { agent: false, ...options }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        resolve({
          status: res.statusCode ?? 0,
          statusText: res.statusMessage ?? '',
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          trailers: res.trailers,
          body: Buffer.concat(chunks),
        })
      })
    })
    req.on('error', reject)
    req.end(options.body)
  })
}

/** A promise and what resolves it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => (resolve = done))
  return { promise, resolve }
}
