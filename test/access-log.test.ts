/** What the access log tells of a request, and what it never tells. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { createHub, loadConfig } from '../src/index.ts'
import { createLogger } from '../src/logger.ts'
import { get, get2, open2 } from './listener/serving.ts'
import { until } from './mailbox/ends.ts'

type Line = Readonly<Record<string, unknown>>

async function start(t: TestContext, values: Readonly<Record<string, unknown>> = {}) {
  const upstream = http.createServer((request, response) => {
    if (request.url?.startsWith('/free/hang')) request.socket.destroy()
    else if (!request.url?.startsWith('/free/wait')) response.end('hello')
  })
  upstream.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nbye')
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-access-'))
  const services = [
    { name: 'free', address, pathregexp: '^/free', auth: 'off' },
    { name: 'sold', address, pathregexp: '^/sold', authskipinvoicecreationpaths: ['.*'] },
  ]
  const standard = { listenaddr: '127.0.0.1:0', insecure: true, services }
  const config = loadConfig({
    configfile: false,
    basedir,
    values: { ...standard, logging: { access: true }, ...values },
  })
  const written: string[] = []
  const sink = { write: (line: string) => void written.push(line) }
  const hub = createHub(config, {
    log: createLogger({ debuglevel: 'info', timestamps: false }, sink),
    nodes: { get: () => undefined, all: () => [] },
  })
  t.after(async () => {
    await hub.close()
    upstream.close()
    rmSync(basedir, { recursive: true })
  })
  const lines = (): Line[] =>
    written
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg }) => msg === 'request' || msg === 'upgrade')
  const next = async (): Promise<Line> => {
    const before = lines().length
    await until(() => lines().length > before)
    return lines()[before] ?? {}
  }
  return { url: await hub.listen(), written, lines, next }
}

const SECRETS = [
  ...[
    'sesame-query',
    'sesame-auth',
    'sesame-cookie',
    'sesame-macaroon',
    'sesame-pay',
    'sesame-user',
  ],
]

test('a line says who asked for what, how it ended and what was sent', async (t) => {
  const { url, next } = await start(t)
  let line = next()
  await get(`${url}/free/a?x=1`)
  const { id, address, ms, bytes, ...rest } = await line
  assert.deepEqual(rest, {
    level: 'info',
    part: 'proxy',
    method: 'GET',
    host: url.replace('http://', ''),
    path: '/free/a',
    http: '1.1',
    status: 200,
    service: 'free',
    outcome: 'open',
    msg: 'request',
  })
  assert.match(String(id), /^[0-9a-f]{8}-1$/)
  assert.equal(address, '127.0.0.1')
  assert.ok(Number(bytes) > 'hello'.length && Number(ms) >= 0)

  line = next()
  await get2(open2(t, url), '/free/b')
  const second = await line
  assert.deepEqual([second['http'], second['status'], second['bytes']], ['2.0', 200, 5])

  line = next()
  await get(`${url}/sold/c`)
  const { status, service, outcome } = await line
  assert.deepEqual(
    { status, service, outcome },
    { status: 401, service: 'sold', outcome: 'unauthorized' },
  )

  line = next()
  await get(`${url}/nothing`)
  const none = await line
  assert.deepEqual(
    [none['status'], none['service'], none['outcome']],
    [404, undefined, 'no_service'],
  )

  line = next()
  await get(`${url}/_pinhole/health`)
  assert.equal((await line)['path'], '/_pinhole/health')
})

test('an upgrade has its line when its connection is over', async (t) => {
  const { url, next } = await start(t)
  const line = next()
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /free/ws?a=b HTTP/1.1\r\nhost: a\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
  socket.resume()
  const { msg, path: where, service } = await line
  assert.deepEqual([msg, where, service], ['upgrade', '/free/ws', 'free'])
})

test('lines about one request have one id; only a trusted proxy may name it', async (t) => {
  const idsOf = async (values: Readonly<Record<string, unknown>>) => {
    const { url, written, next } = await start(t, values)
    const line = next()
    await get(`${url}/free/hang`, { headers: { 'x-request-id': 'of-the-client' } })
    await line
    const all = written.map((text) => JSON.parse(text) as Line)
    return ['request', 'upstream failed'].map(
      (msg) => all.find((one) => one['msg'] === msg)?.['id'],
    )
  }
  const [id, failure] = await idsOf({})
  assert.match(String(id), /^[0-9a-f]{8}-1$/)
  assert.equal(failure, id)
  const trusting = await idsOf({ trustproxy: ['127.0.0.1'] })
  assert.deepEqual(trusting, ['of-the-client', 'of-the-client'])
})

/** Sends a request in `pieces`, each once the one before is out, and gives what came back until the end. */
async function exchange(url: string, pieces: readonly string[]): Promise<string> {
  const socket = net.connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true })
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await closed
  return answer
}

test('a line is the same whichever way the request went', async (t) => {
  const { url, next } = await start(t)
  for (const [path, status] of [
    ['/free/a', 200],
    ['/free/hang', 502],
    ['/sold/a', 401],
    ['/nothing', 404],
  ] as const) {
    const request = `GET ${path}?x=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`
    const seen = []
    // A head in two pieces is Node's to read.
    for (const pieces of [[request], [request.slice(0, 20), request.slice(20)]]) {
      const line = next()
      const answer = await exchange(url, pieces)
      const { id, ms, bytes, ...rest } = await line
      assert.match(String(id), /^[0-9a-f]{8}-\d+$/)
      assert.equal(bytes, answer.length)
      assert.equal(typeof ms, 'number')
      seen.push(rest)
    }
    assert.equal(seen[0]?.['status'], status)
    assert.deepEqual(seen[0], seen[1])
  }
})

test('what a client did not wait for was cut', async (t) => {
  const { url, next } = await start(t)
  const request = 'GET /free/wait HTTP/1.1\r\nhost: a\r\n\r\n'
  for (const pieces of [[request], [request.slice(0, 20), request.slice(20)]]) {
    const line = next()
    const socket = net.connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
    for (const piece of pieces) {
      await new Promise((resolve) => socket.write(piece, resolve))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    socket.destroy()
    const { path: where, cut, status, outcome } = await line
    assert.deepEqual([where, cut, status, outcome], ['/free/wait', true, undefined, 'open'])
  }
})

test('no secret of a request is in any line', async (t) => {
  const { url, written, lines } = await start(t)
  const headers = {
    authorization: 'L402 sesame-auth:00',
    cookie: 'x=sesame-cookie',
    macaroon: 'sesame-macaroon',
    'grpc-metadata-macaroon': 'sesame-macaroon',
  }
  const paths = ['/free/a', '/free/hang', '/sold/a', '/nothing', '/_pinhole/health']
  for (const where of [...paths, '/_pinhole/pay/sesame-pay']) {
    await get(`${url}${where}?key=sesame-query`, { headers })
  }
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  const asked = `GET http://me:sesame-user@a/free/x?sesame-query HTTP/1.1\r\nhost: a\r\n`
  socket.end(`${asked}authorization: sesame-auth\r\nconnection: close\r\n\r\n`)
  socket.resume()
  await once(socket, 'close')
  await until(() => lines().length === paths.length + 2)
  for (const secret of SECRETS) assert.ok(!written.join('').includes(secret), secret)
})

test('there are no lines unless they are asked for', async (t) => {
  const quiet = await start(t, { logging: { access: false } })
  await get(`${quiet.url}/free/a`)
  assert.deepEqual(quiet.lines(), [])
})
