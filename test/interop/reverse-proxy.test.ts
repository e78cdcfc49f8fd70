/** What stands in front of a hub, by the configurations that docs/reverse-proxy.md shows: what is sold, and LNC, through it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import type { ClientRequest, IncomingMessage } from 'node:http'
import https from 'node:https'
import test, { type TestContext } from 'node:test'
import { connect, listen } from '../../mailbox/index.ts'
import { formatAuthorization, parseChallenge } from '../../proxy/l402/index.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { type Behind, startBehind } from './fronts/hub.ts'
import { FRONTS, missing, start } from './fronts/servers.ts'

const UPLOAD_BYTES = 10_000_000
/** Another of this machine's addresses, by which the client is told from the server in front. */
const CLIENT = '127.0.0.2'
/** A credential with dozens of caveats. */
const LARGE_HEADER = `L402 ${'A'.repeat(24_000)}:${'0'.repeat(64)}`

interface Through {
  readonly port: number
  readonly ca: string | undefined
}

interface Drawn {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

type Headers = Readonly<Record<string, string>>

function begin({ port, ca }: Through, path: string, headers: Headers, method = 'GET') {
  return https.request(`https://localhost:${port}${path}`, {
    ...{ ca, headers, method, agent: false, ALPNProtocols: ['http/1.1'] },
    ...{ host: '127.0.0.1', servername: 'localhost', localAddress: CLIENT },
  })
}

async function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return answer
}

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function get1(through: Through, path: string, headers: Headers = {}): Promise<Drawn> {
  const answer = await answerTo(begin(through, path, headers).end())
  return { status: answer.statusCode, headers: answer.headers, body: await read(answer) }
}

async function get2({ port, ca }: Through, path: string, headers: Headers = {}): Promise<Drawn> {
  const session = http2.connect(`https://localhost:${port}`, ca === undefined ? {} : { ca })
  try {
    const stream = session.request({ ':path': path, ...headers })
    const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    return { status: Number(answer[':status']), headers: answer, body: await read(stream) }
  } finally {
    session.destroy()
  }
}

async function sells(through: Through, { pay }: Behind): Promise<void> {
  for (const get of [get1, get2]) {
    assert.equal((await get(through, '/free')).status, 200)
    const { status, headers } = await get(through, '/paid')
    assert.equal(status, 402)
    const [offer] = parseChallenge([headers['www-authenticate'] ?? ''].flat())
    assert.ok(offer)
    const authorization = formatAuthorization(offer.macaroon, pay(offer.invoice))
    assert.equal((await get(through, '/paid', { authorization })).status, 200)
    assert.equal((await get(through, '/paid', { authorization: LARGE_HEADER })).status, 402)
  }
}

async function streams(through: Through, { upstream }: Behind): Promise<void> {
  const answer = await answerTo(begin(through, '/stream', {}).end())
  const [first] = (await once(answer, 'data')) as [Buffer]
  assert.equal(String(first), 'data: first\n\n')
  upstream.finish()
  assert.equal(await read(answer), 'data: last\n\n')

  const begun = upstream.begun()
  const upload = begin(through, '/upload', {}, 'POST')
  upload.write(Buffer.alloc(65_536))
  await begun
  const answered = answerTo(upload)
  upload.end(Buffer.alloc(UPLOAD_BYTES - 65_536))
  assert.equal(await read(await answered), String(UPLOAD_BYTES))
}

async function connects(t: TestContext, { port, ca }: Through): Promise<void> {
  const { server, adminMacaroon } = createSimulatedNode({ alias: 'behind' })
  t.after(() => server.forceShutdown())
  const mailbox = `localhost:${port}`
  const node = await listen({ mailbox, ca, server, authData: `Macaroon: ${adminMacaroon}` })
  t.after(() => node.close())
  const { phrase } = node
  const first = await connect({ mailbox, ca, phrase, transport: 'grpc' })
  assert.equal((await first.getInfo()).alias, 'behind')
  const { localKey, remoteKey } = first.keys
  await first.close()
  assert.ok(remoteKey)
  const keys = { localKey, remoteKey }
  const again = await connect({ mailbox, ca, keys, transport: 'websocket' })
  assert.equal((await again.getInfo()).alias, 'behind')
  await again.close()
}

test('what docs/reverse-proxy.md shows', async (t) => {
  const [cleartext, own] = await Promise.all([startBehind(t, true), startBehind(t, false)])
  for (const front of FRONTS) {
    await t.test(front.name, { skip: missing(front) ?? false }, async (t) => {
      const behind = front.ends ? cleartext : own
      const { port, ca = behind.ca } = await start(t, front, behind.host)
      const through = { port, ca }
      await t.test('sells over HTTP/1.1 and HTTP/2', () => sells(through, behind))
      await t.test('passes streams on as they come', () => streams(through, behind))
      await t.test('carries LNC, by gRPC and by WebSocket', (t) => connects(t, through))
      await t.test('names the client', { skip: !front.ends && 'TLS is not ended' }, async () => {
        const forged = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http' }
        const { body } = await get1(through, '/free', forged)
        // What was forged is gone; the hub adds the server in front.
        assert.deepEqual(JSON.parse(body), { client: `${CLIENT}, 127.0.0.1`, proto: 'https' })
      })
    })
  }
})
