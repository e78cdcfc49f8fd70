import { createHash, createPrivateKey } from 'node:crypto'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import type { TestContext } from 'node:test'
import fastify, { type FastifyReply } from 'fastify'
import { ManualClock } from '../../src/base/clock.ts'
import { newKey, selfSign } from '../../src/certificate/self-signed.ts'
import { createListener, type KeyPair, type ListenerOptions } from '../../src/listener.ts'
import { limitBodies } from '../../src/listener/body-deadline.ts'

export async function newPair(): Promise<KeyPair> {
  const key = newKey().export({ type: 'sec1', format: 'pem' }).toString()
  const subject = { hostname: 'localhost', names: [], addresses: [] }
  return { key, cert: await selfSign(createPrivateKey(key), subject, Date.now()) }
}

export const OPTIONS: ListenerOptions = {
  tls: undefined,
  limits: {
    connections: 0,
    connectionsPerAddress: 0,
    blocked: new Set(),
    streamsPerConnection: 100,
    streamWindowBytes: 65_536,
    headerBytes: 16_384,
  },
  headerTimeoutMs: 2_000,
  idleTimeoutMs: 60_000,
  writeTimeoutMs: 0,
  drainTimeoutMs: 2_000,
}

export interface Running {
  readonly port: number
  readonly clock: ManualClock
  readonly url: string
  readonly listener: ReturnType<typeof createListener>
  drain(): Promise<void>
}

/** A listener with a small application: `/` says the version, `/echo` repeats, `/hang` waits, `/unread` does nothing. */
export async function listen(
  t: TestContext,
  change: Partial<ListenerOptions> = {},
  readTimeoutMs = 0,
): Promise<Running> {
  const clock = new ManualClock()
  const listener = createListener({ ...OPTIONS, ...change }, { clock })
  const app = fastify({ serverFactory: listener.serverFactory, return503OnClosing: false })
  limitBodies(app, readTimeoutMs, clock)
  app.get('/', (request) => ({ version: request.raw.httpVersion }))
  app.post('/echo', (request) => request.body)
  const early = (_request: unknown, reply: FastifyReply) => void reply.send('early')
  app.post('/early', { onRequest: early }, () => 'never')
  const leave = (_request: unknown, reply: FastifyReply) => void reply.hijack()
  app.post('/unread', { onRequest: leave }, () => 'never')
  app.get('/hang', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    reply.raw.write('begun')
    released.push(() => reply.raw.end(' ended'))
  })
  const released: (() => void)[] = []
  app.server.on('upgrade', (request: http.IncomingMessage, socket: net.Socket) => {
    const key = request.headers['sec-websocket-key'] ?? ''
    const accept = createHash('sha1').update(key).digest('base64')
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\nx: ${accept}\r\n\r\n`,
    )
  })
  await app.ready()
  const { port } = await listener.listen('127.0.0.1', 0)
  const running = {
    port,
    clock,
    listener,
    url: `${change.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    async drain() {
      const drained = listener.drain()
      for (const release of released.splice(0)) release()
      await Promise.all([drained, app.close()])
    },
  }
  t.after(async () => {
    const drained = running.drain()
    clock.advance(10_000)
    await drained
  })
  return running
}

export function get(
  url: string,
  options: https.RequestOptions = {},
): Promise<{ status: number; text: string }> {
  const { request } = url.startsWith('https') ? https : http
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { agent: false, rejectUnauthorized: false, ...options },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    sent.on('error', reject).end()
  })
}

export function get2(
  session: http2.ClientHttp2Session,
  where = '/',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': where })
    let status = 0
    let text = ''
    stream.on('response', (headers) => (status = headers[':status'] ?? 0))
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => resolve({ status, text })).on('error', reject)
  })
}

export function open2(t: TestContext, url: string): http2.ClientHttp2Session {
  const session = http2.connect(url, { rejectUnauthorized: false })
  session.on('error', () => {})
  t.after(() => session.destroy())
  return session
}

/** Sends `bytes` on a bare connection and resolves with all that comes back until it closes. */
export function raw(port: number, ...bytes: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      for (const part of bytes) socket.write(part)
    })
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    socket.on('error', () => {}).on('close', () => resolve(text))
  })
}

export const V1 = { status: 200, text: '{"version":"1.1"}' }
export const V2 = { status: 200, text: '{"version":"2.0"}' }
