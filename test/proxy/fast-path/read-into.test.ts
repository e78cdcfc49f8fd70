/** Long uploads are read into memory that is used again, on connections that were accepted. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { Duplex, type Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import tls from 'node:tls'
import { readInto } from '../../../proxy/fast-path/read-into.ts'
import { loanOf } from '../../../proxy/forward/inlet.ts'
import { newPair } from '../../listener/serving.ts'
import { listenOn, service, startHub } from '../forward/forwarding.ts'
import { slowHash } from '../forward/slow-hash.ts'

const BYTES = 5_000_000
const keyPair = await newPair()
const hashOf = (body: Buffer) => createHash('sha256').update(body).digest('hex')

for (const secure of [false, true]) {
  test(`this Node lets an accepted connection read into given memory (${secure ? 'TLS' : 'TCP'})`, async (t) => {
    const body = randomBytes(BYTES)
    const seen = new Promise<{ lentBytes: number; hash: string }>((resolve) => {
      const serve = (socket: net.Socket) => {
        const inlet = readInto(socket)
        assert.ok(
          inlet,
          'this release keeps its buffers elsewhere: uploads are slower (read-into.ts)',
        )
        inlet.expectLong()
        const hash = createHash('sha256')
        let lentBytes = 0
        socket.on('data', (piece: Buffer) => {
          hash.update(piece)
          if (loanOf(piece)) lentBytes += piece.length
          loanOf(piece)?.release()
        })
        socket.on('end', () => resolve({ lentBytes, hash: hash.digest('hex') }))
      }
      const server = secure ? tls.createServer({ ...keyPair }, serve) : net.createServer(serve)
      void listenOn(t, server).then((address) => {
        const port = Number(address.split(':')[1])
        const client = secure
          ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
          : net.connect({ port, host: '127.0.0.1' })
        client.end(body)
      })
    })
    const { lentBytes, hash } = await seen
    assert.equal(hash, hashOf(body))
    assert.ok(lentBytes > BYTES / 2, `${lentBytes} of ${BYTES} bytes were lent`)
  })
}

test('a socket that keeps its buffers elsewhere is left as it is', () => {
  const other = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const before = Reflect.ownKeys(other)
  assert.equal(readInto(other as net.Socket), undefined)
  assert.deepEqual(Reflect.ownKeys(other), before)
})

/** Sends `body` and the requests after it over one connection; the upstream's answers, in order. */
async function upload(t: TestContext, url: string, body: Buffer): Promise<string[]> {
  const agent = new (url.startsWith('https') ? https : http).Agent({
    keepAlive: true,
    maxSockets: 1,
    rejectUnauthorized: false,
  })
  t.after(() => agent.destroy())
  const sockets = new Set<unknown>()
  const send = (headers: http.OutgoingHttpHeaders, bytes: Buffer) =>
    new Promise<string>((resolve, reject) => {
      const options = { agent, method: 'POST', headers }
      const request = (url.startsWith('https') ? https : http).request(url, options, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => resolve(text)).on('error', reject)
      })
      request.on('socket', (socket) => sockets.add(socket)).on('error', reject)
      request.end(bytes)
    })
  const answers = [
    await send({ 'content-length': body.length }, body),
    await send({ 'content-length': 3 }, Buffer.from('two')),
    await send({ 'content-length': body.length }, body),
    // Node's own server has the connection from here.
    await send({ 'transfer-encoding': 'chunked' }, body),
    await send({ 'content-length': 4 }, Buffer.from('five')),
  ]
  assert.equal(sockets.size, 1)
  return answers
}

for (const secure of [false, true]) {
  for (const protocol of ['http', 'h2c'] as const) {
    test(`long uploads arrive as they are, several at once (${secure ? 'TLS' : 'cleartext'}, to ${protocol})`, async (t) => {
      const answer = (req: Readable, res: { end(text: string): unknown }) =>
        void slowHash(req).then((hash) => res.end(hash))
      const upstream =
        protocol === 'h2c' ? http2.createServer(answer) : http.createServer({}, answer)
      const address = await listenOn(t, upstream)
      const { url } = await startHub(
        t,
        service({ address, protocol }),
        secure ? { tls: keyPair } : {},
      )
      const bodies = [randomBytes(BYTES), randomBytes(BYTES + 1), randomBytes(BYTES + 70_000)]
      const got = await Promise.all(bodies.map((body) => upload(t, url, body)))
      const hashes = bodies.map(hashOf)
      const [two, five] = ['two', 'five'].map((text) => hashOf(Buffer.from(text)))
      assert.deepEqual(
        got,
        hashes.map((hash) => [hash, two, hash, hash, five]),
      )
    })
  }
}

test('a client that leaves in the middle of a long upload takes nothing with it', async (t) => {
  const upstream = http.createServer((req, res) => {
    req.on('error', () => {})
    void slowHash(req).then(
      (hash) => res.end(hash),
      () => {},
    )
  })
  const address = await listenOn(t, upstream)
  const hub = await startHub(t, service({ address }))
  for (let i = 0; i < 5; i++) {
    const over = hub.next()
    const client = net.connect(hub.port, '127.0.0.1').on('error', () => {})
    client.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${BYTES}\r\n\r\n`)
    client.write(randomBytes(BYTES / 2), () => client.destroy())
    await over
  }
  assert.equal(hub.outcomes.length, 5)
  const body = randomBytes(BYTES)
  assert.equal((await upload(t, hub.url, body))[0], hashOf(body))
})
