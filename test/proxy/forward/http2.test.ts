import assert from 'node:assert/strict'
import http from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import tls from 'node:tls'
import { ManualClock } from '../../../src/base/clock.ts'
import { PING_EVERY_MS } from '../../../proxy/forward/http2-connection.ts'
import { newPair } from '../../listener/serving.ts'
import { ask, deferred, listenOn, service, startHub } from './forwarding.ts'
import { moment } from '../../moment.ts'

type Stream = http2.ServerHttp2Stream

function h2c(
  t: TestContext,
  serve: (stream: Stream, headers: IncomingHttpHeaders) => void,
  settings: http2.Settings = {},
): { server: http2.Http2Server; address: Promise<string>; sessions: http2.ServerHttp2Session[] } {
  const server = http2.createServer({ settings })
  const sessions: http2.ServerHttp2Session[] = []
  server.on('session', (session) => sessions.push(session))
  server.on('stream', (stream: Stream, headers) => {
    stream.on('error', () => {})
    serve(stream, headers)
  })
  t.after(() => sessions.forEach((session) => session.destroy()))
  return { server, address: listenOn(t, server), sessions }
}

/** One request over HTTP/2; `reset` is what the stream was reset with, `ended` whether it looked whole. */
function ask2(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
): Promise<{
  headers: IncomingHttpHeaders
  trailers: IncomingHttpHeaders
  body: string
  ended: boolean
  reset: number
}> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body === undefined })
    const answer = { headers: {}, trailers: {}, body: '', ended: false, reset: 0 }
    stream.on('response', (got) => (answer.headers = got))
    stream.on('trailers', (got: IncomingHttpHeaders) => (answer.trailers = got))
    stream.setEncoding('utf8').on('data', (text: string) => (answer.body += text))
    stream.on('end', () => (answer.ended = !stream.aborted))
    stream.on('error', () => {})
    stream.on('close', () => resolve({ ...answer, reset: stream.rstCode ?? 0 }))
    if (body !== undefined) stream.end(body)
  })
}

function client2(t: TestContext, url: string): http2.ClientHttp2Session {
  const session = http2.connect(url, { rejectUnauthorized: false })
  session.on('error', () => {})
  t.after(() => session.destroy())
  return session
}

const echo = (stream: Stream, headers: IncomingHttpHeaders) => {
  let body = ''
  stream.setEncoding('utf8').on('data', (text: string) => (body += text))
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', (got: IncomingHttpHeaders) => (trailers = got))
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-count': String(body.length) }))
    stream.end(JSON.stringify({ headers, body, trailers }))
  })
}

test('h2c: an HTTP/1.1 client and an HTTP/2 client, trailers both ways', async (t) => {
  const { address } = h2c(t, echo)
  const hub = await startHub(t, service({ protocol: 'h2c', address: await address }))
  const one = await ask(`${hub.url}/a?b`, { method: 'POST', body: 'hello' })
  const seen = JSON.parse(one.body.toString()) as {
    headers: IncomingHttpHeaders
    body: string
    trailers: IncomingHttpHeaders
  }
  assert.equal(seen.body, 'hello')
  assert.equal(seen.headers[':path'], '/a?b')
  assert.equal(seen.headers[':authority'], await address)
  assert.equal(seen.headers['x-pinhole-service'], 'shop')
  assert.equal(seen.headers.connection, undefined)
  assert.deepEqual(one.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(one.trailers['x-count'], '5')

  const session = client2(t, hub.url)
  const two = await ask2(session, { ':path': '/a', ':method': 'POST', cookie: 'a=1' }, 'hello!')
  assert.equal(two.trailers['x-count'], '6')
  assert.deepEqual(two.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(two.headers['access-control-allow-origin'], '*')
  assert.equal(two.ended, true)

  const trailers = await new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST' }, { waitForTrailers: true })
    let text = ''
    stream.setEncoding('utf8').on('data', (more: string) => (text += more))
    stream.on('end', () => resolve((JSON.parse(text) as typeof seen).trailers['x-sum']))
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }))
    stream.end('x')
  })
  assert.equal(trailers, '7')
})

test('an HTTP/2 client and an HTTP/1.1 upstream', async (t) => {
  const address = await listenOn(
    t,
    http.createServer((req, res) => {
      let body = ''
      req.setEncoding('utf8').on('data', (text: string) => (body += text))
      req.on('end', () => {
        const cookie = { 'x-cookie': req.headers.cookie ?? '' }
        if (req.method === 'HEAD') return void res.writeHead(200, cookie).end()
        res.writeHead(200, { ...cookie, trailer: 'x-sum' })
        res.write(`${req.method} ${req.url} ${body} ${req.headers['transfer-encoding'] ?? ''}`)
        res.addTrailers({ 'x-sum': String(req.trailers['x-count']) })
        res.end()
      })
    }),
  )
  const hub = await startHub(t, service({ address }))
  const session = client2(t, hub.url)
  const get = await ask2(session, { ':path': '/a', cookie: ['a=1', 'b=2'] })
  assert.equal(get.body, 'GET /a  ')
  assert.equal(get.headers['x-cookie'], 'a=1; b=2')
  const post = await ask2(session, { ':path': '/a', ':method': 'POST' }, 'hello')
  assert.equal(post.body, 'POST /a hello chunked')
  assert.equal(post.trailers['x-sum'], 'undefined')
  const head = await ask2(session, { ':path': '/a', ':method': 'HEAD' })
  assert.deepEqual([head.headers[':status'], head.body, head.ended], [200, '', true])
})

test('https: HTTP/2 where ALPN offers it, HTTP/1.1 else, verified either way', async (t) => {
  const pair = await newPair()
  const second = http2.createSecureServer(pair)
  second.on('stream', echo)
  const first = https.createServer(pair, (req, res) => res.end(`${req.httpVersion} ${req.method}`))
  const versions: string[] = []
  second.on('session', () => versions.push('h2'))
  first.on('secureConnection', () => versions.push('1.1'))
  const at = async (server: http.Server | http2.Http2Server) =>
    (await listenOn(t, server)).replace('127.0.0.1', 'localhost')
  const h2 = await at(second)
  const h1 = await at(first)
  const trusting = { protocol: 'https', certificate: pair.cert } as const
  const hub2 = await startHub(t, service({ ...trusting, address: h2 }))
  assert.equal((await ask(hub2.url)).status, 200)
  assert.equal((await ask(hub2.url, { method: 'POST', body: 'x' })).status, 200)
  assert.deepEqual(versions, ['h2'])
  const hub1 = await startHub(t, service({ ...trusting, address: h1 }))
  assert.equal((await ask(hub1.url)).body.toString(), '1.1 GET')
  assert.equal((await ask(hub1.url)).body.toString(), '1.1 GET')
  assert.deepEqual(versions, ['h2', '1.1'], 'the connection that found it out is used')
  assert.equal((await ask(hub1.url, { method: 'POST', body: 'x' })).body.toString(), '1.1 POST')

  for (const address of [h1, h2]) {
    const doubting = await startHub(t, service({ protocol: 'https', address }))
    const refused = await ask(doubting.url)
    assert.equal(refused.status, 502)
    assert.match(refused.body.toString(), /ERR_UPSTREAM_CERTIFICATE/)
    const careless = await startHub(t, service({ protocol: 'https', address, insecureTls: true }))
    assert.equal((await ask(careless.url)).status, 200)
  }
  const other = await newPair()
  const wrong = await startHub(
    t,
    service({ protocol: 'https', address: h1, certificate: other.cert }),
  )
  assert.match((await ask(wrong.url)).body.toString(), /ERR_UPSTREAM_CERTIFICATE/)
  // The certificate is good, but for another name.
  const strange = https.createServer(pair)
  await new Promise<void>((resolve) => strange.listen(0, '127.0.0.2', resolve))
  t.after(() => strange.close())
  const { port } = strange.address() as net.AddressInfo
  const named = await startHub(t, service({ ...trusting, address: `127.0.0.2:${port}` }))
  assert.match((await ask(named.url)).body.toString(), /ERR_UPSTREAM_CERTIFICATE/)
  second.close()
})

for (const [how, breakOff] of [
  [
    'resets it with an error',
    (stream: Stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
  ],
  ['cancels it', (stream: Stream) => stream.close(http2.constants.NGHTTP2_CANCEL)],
  [
    'resets it without an error',
    (stream: Stream) => stream.close(http2.constants.NGHTTP2_NO_ERROR),
  ],
  ['loses the connection', (_: Stream, socket: net.Socket | undefined) => socket?.destroy()],
  ['destroys the session', (stream: Stream) => stream.session?.destroy()],
] as const) {
  test(`an HTTP/2 upstream that begins an answer and ${how}`, async (t) => {
    let socket: net.Socket | undefined
    const { address, server } = h2c(t, (stream) => {
      // Without waiting for trailers, Node ends a stream before it resets it.
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.write('half', () => void moment().then(() => breakOff(stream, socket)))
    })
    server.on('connection', (connected: net.Socket) => (socket = connected))
    const hub = await startHub(t, service({ protocol: 'h2c', address: await address }))
    const first = hub.next()
    await assert.rejects(ask(hub.url), /aborted|hang up/)
    const outcome = await first
    assert.ok(outcome.name === 'failed' && outcome.started)
    const answer = await ask2(client2(t, hub.url), { ':path': '/' })
    assert.equal(answer.body, 'half')
    assert.notEqual(answer.reset, 0)
  })
}

test('a session that says goodbye, and one that is full, are joined by another', async (t) => {
  const held: Stream[] = []
  const arrived = deferred()
  const { address, sessions } = h2c(
    t,
    (stream, headers) => {
      if (headers[':path'] === '/hold') {
        held.push(stream)
        if (held.length === 3) arrived.resolve()
      } else echo(stream, headers)
    },
    { maxConcurrentStreams: 1 },
  )
  const hub = await startHub(t, service({ protocol: 'h2c', address: await address }))
  assert.equal((await ask(hub.url)).status, 200)
  const holding = [1, 2, 3].map(() => ask(`${hub.url}/hold`))
  await arrived.promise
  assert.equal(sessions.length, 3)
  for (const stream of held) {
    stream.respond({ ':status': 200 })
    stream.end()
  }
  await Promise.all(holding)
  sessions.forEach((session) => session.goaway())
  assert.equal((await ask(hub.url)).status, 200)
  assert.equal((await ask(hub.url)).status, 200)
})

test('a refused stream without a body is sent again', async (t) => {
  let requests = 0
  const { address } = h2c(t, (stream, headers) => {
    requests++
    if (requests === 1) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    else echo(stream, headers)
  })
  const hub = await startHub(t, service({ protocol: 'h2c', address: await address }))
  assert.equal((await ask(hub.url)).status, 200)
  assert.equal(requests, 2)
})

test('a client that leaves resets the stream upstream', async (t) => {
  const closed = deferred<number | undefined>()
  const { address } = h2c(t, (stream) => {
    stream.respond({ ':status': 200 })
    stream.write('begun')
    stream.on('close', () => closed.resolve(stream.rstCode))
  })
  const hub = await startHub(t, service({ protocol: 'h2c', address: await address }))
  const stream = client2(t, hub.url).request({ ':path': '/' })
  stream.on('error', () => {}).once('data', () => stream.close(http2.constants.NGHTTP2_CANCEL))
  assert.equal(await closed.promise, http2.constants.NGHTTP2_CANCEL)
})

test('a connection whose other end is silent is dropped after two pings', async (t) => {
  const clock = new ManualClock()
  const arrived = deferred()
  const server = net.createServer((socket) =>
    socket.on('error', () => {}).once('data', () => arrived.resolve()),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`
  const timeouts = { connectMs: 0, headerMs: 0, bodyMs: 0, idleMs: 0 }
  const hub = await startHub(t, service({ protocol: 'h2c', address, timeouts }), { clock })
  const answer = ask(hub.url)
  await arrived.promise
  clock.advance(PING_EVERY_MS)
  clock.advance(PING_EVERY_MS)
  assert.equal((await answer).status, 502)
})

test('idle connections close after their time', async (t) => {
  const clock = new ManualClock()
  const { address, sessions } = h2c(t, echo)
  const hub = await startHub(t, service({ protocol: 'h2c', address: await address }), { clock })
  await ask(hub.url)
  const closed = new Promise<void>((resolve) => sessions[0]?.once('close', () => resolve()))
  await moment()
  clock.advance(10_000)
  await closed
})

test('an answer in one piece, head, body and trailers, is passed on in its order', async (t) => {
  const frame = (type: number, flags: number, id: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.set([type, flags], 3)
    head.writeUInt32BE(id, 5)
    return Buffer.concat([head, payload])
  }
  const literal = (name: string, value: string) =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ])
  const [DATA, HEADERS, SETTINGS, ENDS_STREAM, ENDS_HEADERS] = [0, 1, 4, 1, 4]
  const OK = 0x88
  // By TLS and with many at once: else Node tells of each head before it reads on.
  const pair = await newPair()
  const server = tls.createServer({ ...pair, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => {})
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
    let seen = Buffer.alloc(0)
    let at = 24
    socket.on('data', (chunk) => {
      seen = Buffer.concat([seen, chunk])
      while (seen.length >= at + 9) {
        const [length, type, id] = [seen.readUIntBE(at, 3), seen[at + 3], seen.readUInt32BE(at + 5)]
        if (seen.length < at + 9 + length) return
        at += 9 + length
        if (type !== HEADERS) continue
        socket.write(
          Buffer.concat([
            frame(
              HEADERS,
              ENDS_HEADERS,
              id,
              Buffer.concat([Buffer.from([OK]), literal('x-head', '1')]),
            ),
            frame(DATA, 0, id, Buffer.from('all at once')),
            frame(HEADERS, ENDS_HEADERS | ENDS_STREAM, id, literal('x-sum', '42')),
          ]),
        )
      }
    })
    t.after(() => socket.destroy())
  })
  const address = await listenOn(t, server)
  const hub = await startHub(t, service({ protocol: 'https', insecureTls: true, address }))
  const session = client2(t, hub.url)
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => ask2(session, { ':path': '/', ':method': 'POST' }, 'x')),
  )
  for (const answer of answers) {
    assert.equal(answer.headers['x-head'], '1')
    assert.equal(answer.body, 'all at once')
    assert.equal(answer.trailers['x-sum'], '42')
    assert.equal(answer.reset, 0)
  }
})
