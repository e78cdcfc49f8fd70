/** Memory that is lent: nobody reads into it while somebody writes it out. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import { Inlet, type Loan } from '../../../proxy/forward/inlet.ts'
import { LONG_WAY } from '../fast-path/short-way.ts'
import { listenOn, service, startHub } from './forwarding.ts'
import { slowHash } from './slow-hash.ts'

const BYTES = 6_000_000

const byHttp1 = (url: string) =>
  new Promise<string>((resolve, reject) => {
    http.get(url, { agent: false }, (res) => void slowHash(res).then(resolve, reject))
  })

async function byHttp2(url: string, t: TestContext): Promise<string> {
  const session = http2.connect(url)
  t.after(() => session.destroy())
  const { pathname } = new URL(url)
  return slowHash(session.request({ ':path': pathname }))
}

for (const way of ['short', 'long'] as const) {
  test(`long bodies reach slow clients as they are, several at once (the ${way} way)`, async (t) => {
    if (way === 'long') process.env[LONG_WAY] = '1'
    t.after(() => delete process.env[LONG_WAY])
    const bodies = [randomBytes(BYTES), randomBytes(BYTES)]
    const upstream = http.createServer((req, res) => {
      const body = bodies[req.url === '/0' ? 0 : 1] ?? Buffer.alloc(0)
      if (req.url === '/1') res.setHeader('content-length', body.length)
      res.end(body)
    })
    const address = await listenOn(t, upstream)
    const { url } = await startHub(t, service({ address }))
    const expected = bodies.map((body) => createHash('sha256').update(body).digest('hex'))
    const got = await Promise.all([
      byHttp1(`${url}/0`),
      byHttp1(`${url}/1`),
      byHttp1(`${url}/0`),
      byHttp2(`${url}/1`, t),
    ])
    assert.deepEqual(got, [expected[0], expected[1], expected[0], expected[1]])
  })
}

test('a piece that is held keeps its bytes, one that is not is read over', async (t) => {
  const source = net.createServer((socket) => {
    socket.on('error', () => {})
    for (let i = 0; i < 64; i++) socket.write(Buffer.alloc(262_144, i))
    socket.end()
  })
  const address = await listenOn(t, source)
  const inlet = new Inlet()
  const held: { piece: Buffer; copy: Buffer; loan: Loan }[] = []
  const buffers = new Set<Loan>()
  let lent = 0
  inlet.receive = (piece, loan) => {
    if (!loan) return true
    lent++
    buffers.add(loan)
    if (held.length >= 5) return true
    loan.hold()
    held.push({ piece, copy: Buffer.from(piece), loan })
    return true
  }
  const port = Number(address.split(':')[1])
  const socket = net.connect({ port, host: '127.0.0.1', onread: inlet.onread })
  await new Promise((resolve) => socket.once('end', resolve))
  assert.ok(lent > 10, `${lent} pieces were lent`)
  assert.ok(buffers.size <= 7, `${buffers.size} buffers for ${lent} pieces`)
  assert.equal(held.length, 5)
  for (const { piece, copy } of held) assert.ok(piece.equals(copy))
  for (const { loan } of held) loan.release()
})

test('memory that is lent is bounded: who gets none reads by way of the shared buffer', () => {
  const given = new Set<ArrayBufferLike>()
  const held: Loan[] = []
  const pieces: Buffer[] = []
  for (let i = 0; i < 400; i++) {
    const inlet = new Inlet()
    inlet.expectLong()
    inlet.receive = (piece, loan) => {
      loan?.hold()
      if (loan) held.push(loan)
      pieces.push(piece)
      return true
    }
    const { onread } = inlet
    assert.ok(typeof onread.buffer === 'function')
    const buffer = onread.buffer()
    given.add(buffer.buffer)
    buffer.fill(i, 0, 50_000)
    onread.callback(50_000, buffer)
  }
  assert.ok(given.size > 200 && given.size <= 257, `${given.size} buffers`)
  assert.ok(held.length < 400)
  pieces.forEach((piece, i) => assert.ok(piece.equals(Buffer.alloc(50_000, i)), `piece ${i}`))
  for (const loan of held) loan.release()
})
