/** Upstreams that answer with what they saw, and a few that stream, fail or upgrade. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer } from 'ws'

const MIB = 2 ** 20

/** Where the backends listen, on 127.0.0.1. */
export interface Backends {
  readonly h1: number
  /** gRPC over TLS, self-signed. */
  readonly h2: number
  /** Nobody listens here. */
  readonly dead: number
  /** PEM of the certificate of `h2`. */
  readonly certificate: string
  close(): Promise<void>
}

/** Starts them on free ports. */
export async function startBackends(): Promise<Backends> {
  const h1 = http.createServer((request, response) => void answer(request, response))
  h1.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
    response.writeContinue()
    void answer(request, response)
  })
  serveWebSockets(h1)
  const cert = fixture('backend.crt')
  const h2 = http2.createSecureServer({ cert, key: fixture('backend.key') })
  const sessions = new Set<http2.ServerHttp2Session>()
  h2.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  h2.on('stream', (stream, headers) => void answerGrpc(stream, headers))
  const closed = net.createServer()
  const [h1Port, h2Port, dead] = [await bind(h1), await bind(h2), await bind(closed)]
  await new Promise((resolve) => closed.close(resolve))
  return {
    h1: h1Port,
    h2: h2Port,
    dead,
    certificate: cert,
    close: async () => {
      h1.closeAllConnections()
      for (const session of sessions) session.destroy()
      await Promise.all([h1, h2].map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, name), 'utf8')

async function bind(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

type Special = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  argument: string,
) => void | Promise<void>

/** By the part of the path that begins with an underscore. */
const SPECIAL: Readonly<Record<string, Special>> = {
  _hdrs: (_request, response) => {
    response.writeHead(200, [
      ...['Content-Type', 'text/plain', 'X-Dup', 'one, two', 'X-Empty', '', 'Set-Cookie', 'a=1'],
      ...['Set-Cookie', 'b=2', 'Server', 'upstream/1', 'Etag', '"abc"', 'Vary', 'Accept'],
      ...['Cache-Control', 'max-age=60', 'WWW-Authenticate', 'Basic realm="backend"'],
      ...[
        'Connection',
        'X-Gone',
        'X-Gone',
        '1',
        'Proxy-Authenticate',
        'Basic',
        'X-Latin',
        'caf\u00e9',
      ],
    ])
    response.end('hdrs')
  },
  _cors: (_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', 'https://only.example')
    response.setHeader('Access-Control-Expose-Headers', ['X-One, x-two', 'www-authenticate'])
    response.setHeader('Access-Control-Allow-Methods', 'PUT, get')
    response.end('cors')
  },
  _status: (_request, response, code) => {
    response.statusCode = Number(code)
    response.end(/^(204|304)$/.test(code) ? undefined : `status ${code}`)
  },
  _redirect: (_request, response) => {
    response.writeHead(302, { location: '/elsewhere?x=1' }).end()
  },
  _trailers: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', trailer: 'x-sum, x-two' })
    response.write('body')
    response.addTrailers({ 'x-sum': '42', 'x-two': 'b' })
    response.end()
  },
  _sse: async (_request, response, count) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    for (let n = 0; n < Number(count); n++) {
      response.write(`data: ${n}\n\n`)
      await sleep(40)
    }
    response.end()
  },
  _big: (_request, response, mib) => {
    response.writeHead(200, { 'content-length': Number(mib) * MIB })
    response.end(Buffer.alloc(Number(mib) * MIB, 'x'))
  },
  _gzip: (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' })
    response.end(gzipSync('zipped'))
  },
  _count: async (request, response) => {
    const body = await bodyOf(request)
    response.end(String(body.length))
  },
  _hang: (request) => void request.socket.destroy(),
  _break: (request, response) => {
    response.writeHead(200, { 'content-length': 10 })
    response.write('half')
    setTimeout(() => request.socket.destroy(), 50)
  },
  _early: (_request, response) => {
    response.writeHead(403).end('no')
  },
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const [, name = '', argument = ''] = /\/(_\w+)(?:\/(\w+))?/.exec(request.url ?? '') ?? []
  const special = SPECIAL[name]
  if (special) return special(request, response, argument)
  const body = await bodyOf(request).catch(() => Buffer.from('broken off'))
  const saw = {
    method: request.method,
    target: request.url,
    version: `HTTP/${request.httpVersion}`,
    headers: distinct(request.rawHeaders),
    body: body.toString('latin1'),
    trailers: distinct(request.rawTrailers),
  }
  const text = JSON.stringify({ backend_saw: saw })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
  response.end(request.method === 'HEAD' ? undefined : text)
}

/** Headers by lower-case name with all their lines. */
export function distinct(raw: readonly string[]): Record<string, string[]> {
  const out: Record<string, string[]> = {}
  for (let n = 0; n + 1 < raw.length; n += 2) {
    const name = (raw[n] ?? '').toLowerCase()
    ;(out[name] ??= []).push(raw[n + 1] ?? '')
  }
  return out
}

function serveWebSockets(server: http.Server): void {
  const sockets = new WebSocketServer({
    server,
    handleProtocols: (offered) => [...offered][0] ?? false,
  })
  sockets.on('headers', (headers) => headers.push('X-Ws: yes'))
  sockets.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }))
  })
}

/** Echoes the bytes of the messages; `Fail` ends with a status, `Meta` shows the metadata. */
async function answerGrpc(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
): Promise<void> {
  stream.on('error', () => {})
  const [, , method = ''] = (headers[':path'] ?? '').split('/')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  if (stream.destroyed) return
  const fail = method === 'Fail'
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'x-backend': 'grpc' },
    { waitForTrailers: true },
  )
  stream.on('wantTrailers', () => {
    stream.sendTrailers({
      'grpc-status': fail ? '9' : '0',
      'x-trailing': 'tail',
      ...(fail ? { 'grpc-message': 'bad%20state%20%E2%82%AC' } : {}),
    })
  })
  if (fail) stream.end()
  else if (method === 'Meta') stream.end(frame(JSON.stringify(metadataOf(headers))))
  else stream.end(Buffer.concat(chunks))
}

const metadataOf = (headers: http2.IncomingHttpHeaders) =>
  Object.fromEntries(
    Object.entries(headers)
      .sort()
      .filter(([name]) => !/^(:|te$|user-agent$)/.test(name)),
  )

/** A gRPC message in its frame. */
export function frame(message: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(message), 1)
  return Buffer.concat([head, Buffer.from(message)])
}
