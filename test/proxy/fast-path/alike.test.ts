/** Nobody can tell by an answer which way its request went: the same bytes come back on both. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import tls from 'node:tls'
import { compilePattern as pattern } from '../../../proxy/pattern.ts'
import { newPair } from '../../listener/serving.ts'
import { service } from '../services.ts'
import { openShop, type Shop } from '../shop.ts'

/** What an upstream sends for each path, in pieces. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  '/length': ['HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'],
  '/dated': [
    'HTTP/1.1 200 OK\r\nDate: Sat, 03 Jan 2026 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok',
  ],
  '/pieces': ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', 'hello', 'again'],
  '/empty': ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  '/large': [`HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`],
  '/reason': ['HTTP/1.1 418 I am a teapot\r\nContent-Length: 0\r\n\r\n'],
  '/nothing': ['HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n'],
  '/known': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: "a"\r\n\r\n'],
  '/hints': [
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
  ],
  '/cookies': [
    'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: x-gone\r\nX-Gone: 1\r\nContent-Length: 0\r\n\r\n',
  ],
  '/chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '3\r\nabc\r\n', '0\r\n\r\n'],
  '/chunked': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  '/trailers': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n',
    '0\r\nX-Sum: 7\r\n\r\n',
  ],
  '/marker': ['HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmarker'],
  '/closing': ['HTTP/1.1 200 OK\r\n\r\nuntil the end', 'END'],
}
const GAP_MS = 20
const OFF = { level: 'off' } as const
const DEAD = '127.0.0.1:1'

async function upstream(t: TestContext): Promise<string> {
  const server = net.createServer((socket) => {
    socket.setNoDelay().on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      const [, path = ''] = /^\w+ (\S+)/.exec(chunk.toString('latin1')) ?? []
      void (async () => {
        for (const [i, piece] of (ANSWERS[path] ?? []).entries()) {
          if (i > 0) await after(GAP_MS)
          if (piece === 'END') socket.end()
          else socket.write(piece.replace(/x+$/, chunk.includes('HEAD ') ? '' : '$&'))
        }
      })()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const MARKER = 'GET /marker HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'

/** What comes back, until the server has closed. */
async function answerTo(shop: Shop, pieces: readonly string[]): Promise<string> {
  const socket = net.connect(shop.port, '127.0.0.1').setNoDelay()
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await after(GAP_MS)
    socket.write(piece, 'latin1')
  }
  await closed
  return text.replace(/\r\nDate: [^\r]+/g, '\r\nDate: now')
}

const CASES: readonly (readonly [request: string, body?: string])[] = [
  ...Object.keys(ANSWERS).map((path) => [`GET ${path}`] as const),
  ...['/length', '/large', '/chunked', '/nothing'].map((path) => [`HEAD ${path}`] as const),
  ['POST /length', 'a body in one piece'],
  ['POST /length', 'y'.repeat(200_000)],
  ['PUT /quiet', 'nobody reads this'.repeat(20_000)],
  ['DELETE /nothing'],
  ['GET /none'],
  ['GET /quiet'],
  ['GET /dead'],
]

const openAll = async (t: TestContext) => {
  const address = await upstream(t)
  const to = { ...service().upstream, address }
  return openShop(t, {
    services: [
      { name: 'quiet', path: pattern('^/quiet'), quietPaths: [pattern('^/quiet')], upstream: to },
      { name: 'dead', path: pattern('^/dead'), auth: OFF, upstream: { ...to, address: DEAD } },
      { name: 'open', path: pattern('^/[^n]|^/nothing'), auth: OFF, upstream: to },
    ],
  })
}

for (const connection of ['keep-alive', 'close']) {
  test(`the same bytes come back on both ways (${connection})`, async (t) => {
    const shop = await openAll(t)
    const seen = CASES.map(async ([request, body = '']) => {
      const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
      const line = `${request} HTTP/1.1\r\n`
      const end = connection === 'close' ? '' : MARKER
      const rest = `Host: h\r\n${length}Connection: ${connection}\r\n\r\n${body}${end}`
      const short = await answerTo(shop, [line + rest])
      // A head that comes in two pieces is read by Node.
      const long = await answerTo(shop, [line, rest])
      assert.notEqual(short, '', request)
      assert.equal(short, long, request)
    })
    await Promise.all(seen)
  })
}

/** What comes back on `socket`; `answers` waits for so many of `/length`. */
function listenTo(socket: net.Socket) {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  return {
    text: () => text,
    async answers(count: number) {
      while (text.split('hello').length - 1 < count) await after(1)
    },
  }
}

test('what is whole and plain is served on the short way, the rest of a connection on the long one', async (t) => {
  const shop = await openAll(t)
  const { fastPath, port } = shop
  assert.ok(fastPath)
  const socket = net.connect(port, '127.0.0.1').setNoDelay()
  t.after(() => socket.destroy())
  const heard = listenTo(socket)
  const plain = 'GET /length HTTP/1.1\r\nHost: h\r\n\r\n'
  socket.write(plain)
  await heard.answers(1)
  socket.write(plain.repeat(3))
  await heard.answers(4)
  assert.equal(fastPath.size, 1)
  socket.write(
    `${plain}POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na`,
  )
  await heard.answers(5)
  assert.equal(fastPath.size, 0)
  socket.write(`\r\n0\r\n\r\n${plain}`)
  await heard.answers(7)
  assert.equal(fastPath.size, 0)
  assert.equal(heard.text().match(/HTTP\/1\.1 200 OK/g)?.length, 7)
})

test('over TLS too', async (t) => {
  const address = await upstream(t)
  const pair = await newPair()
  const to = { ...service().upstream, address }
  const shop = await openShop(t, { tls: pair, services: [{ auth: OFF, upstream: to }] })
  const socket = tls.connect({ port: shop.port, ca: pair.cert, servername: 'localhost' })
  t.after(() => socket.destroy())
  const heard = listenTo(socket)
  const plain = 'GET /length HTTP/1.1\r\nHost: h\r\n\r\n'
  socket.write(plain)
  await heard.answers(1)
  assert.equal(shop.fastPath?.size, 1)
  socket.write(plain.slice(0, 20))
  await after(GAP_MS)
  assert.equal(shop.fastPath?.size, 0)
  socket.write(plain.slice(20) + plain)
  await heard.answers(3)
})
