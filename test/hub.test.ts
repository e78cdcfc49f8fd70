import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { createHub, type Hub, type HubDeps, loadConfig } from '../src/index.ts'
import { VERSION } from '../src/version.ts'
import { get, get2, open2 } from './listener/serving.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-hub-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

async function start(
  t: TestContext,
  values: Record<string, unknown> = {},
  deps: HubDeps = {},
): Promise<{ hub: Hub; url: string }> {
  const standard = { listenaddr: '127.0.0.1:0', insecure: true, hashmail: { enabled: true } }
  const basedir = folder(t)
  const config = loadConfig({ configfile: false, basedir, values: { ...standard, ...values } })
  const hub = createHub(config, deps)
  t.after(() => hub.close())
  return { hub, url: await hub.listen() }
}

/** A log that keeps warnings. */
function listening() {
  const warnings: string[] = []
  const log = {
    debug() {},
    info() {},
    warn: (_: unknown, message: string) => void warnings.push(message),
    error() {},
    child: () => log,
  }
  return { warnings, log }
}

test('a relay and nothing else: one key of configuration is enough', async (t) => {
  const { warnings, log } = listening()
  const { hub, url } = await start(t, {}, { log })
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(hub.address, url)
  const { status, text } = await get(`${url}/_pinhole/health`)
  assert.equal(status, 200)
  const { uptimeSeconds, ...health } = JSON.parse(text) as Record<string, unknown>
  assert.ok(Number.isInteger(uptimeSeconds))
  assert.deepEqual(health, { status: 'ok', version: VERSION, relay: { boxes: 0 } })
  assert.deepEqual(warnings, [])
})

test('with TLS the first start makes a certificate, and health answers in HTTP/2', async (t) => {
  const { url } = await start(t, { insecure: false })
  assert.match(url, /^https:/)
  const { status } = await get2(open2(t, url), '/_pinhole/health')
  assert.equal(status, 200)
})

test('health counts boxes; an open receive ends in order when the hub closes', async (t) => {
  const { hub, url } = await start(t)
  const stream_id = Buffer.alloc(64, 7).toString('base64')
  const dial = (where: string, message: object) =>
    new Promise<WebSocket>((resolve, reject) => {
      const base = `${url.replace('http', 'ws')}/v1/lightning-node-connect/hashmail`
      const socket = new WebSocket(`${base}${where}?method=POST`)
      socket.on('error', reject)
      socket.on('open', () => socket.send(JSON.stringify(message), () => resolve(socket)))
    })
  const made = await dial('', { desc: { stream_id }, lnd_auth: {} })
  await new Promise((resolve) => made.once('message', resolve))
  const { text } = await get(`${url}/_pinhole/health`)
  assert.deepEqual((JSON.parse(text) as { relay: unknown }).relay, { boxes: 1 })
  const receive = await dial('/receive', { stream_id })
  const closed = new Promise((resolve) => receive.once('close', resolve))
  await hub.close()
  await closed
  assert.equal(hub.address, undefined)
})

test('health says 503 while the hub drains', async (t) => {
  const { hub, url } = await start(t)
  const session = open2(t, url)
  await get2(session, '/_pinhole/health')
  // Two requests on one connection: the second is read when the hub already closes.
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  const request = 'GET /_pinhole/health HTTP/1.1\r\nhost: a\r\n'
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  socket.write(`${request}\r\n${request}`)
  while (!text.includes('"ok"')) await new Promise(setImmediate)
  const closing = hub.close()
  socket.write('\r\n')
  await Promise.all([closing, ended])
  assert.match(text, /HTTP\/1\.1 503 Service Unavailable/)
  assert.match(text, /"status":"draining"/)
})

test('sections that this version does not act on are named in one line', async (t) => {
  const { warnings, log } = listening()
  await start(t, { dbbackend: 'etcd', tor: { v3: true }, hashmail: {} }, { log })
  assert.deepEqual(warnings, [
    'this version does not act on these sections of the configuration yet: dbbackend, tor',
    'neither services nor hashmail.enabled: this hub serves its health only',
  ])
})

test('autocert is refused in words', async (t) => {
  await assert.rejects(start(t, { autocert: true, servername: 'a.example', insecure: false }), {
    code: 'ERR_LISTEN_CERTIFICATE',
    message: /autocert is not available in this version: get tls\.cert and tls\.key/,
  })
})

test('metrics have a port of their own', async (t) => {
  const free = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => free.once('listening', resolve))
  const { port } = free.address() as net.AddressInfo
  const prometheus = { enabled: true, listenaddr: `127.0.0.1:${port}` }
  await assert.rejects(start(t, { prometheus }), { code: 'ERR_LISTEN_ADDRESS' })
  await new Promise((resolve) => free.close(resolve))
  const { url } = await start(t, { prometheus })
  const { status, text } = await get(`http://127.0.0.1:${port}/metrics`)
  assert.equal(status, 200)
  assert.match(text, /^process_cpu_seconds_total /m)
  assert.match(text, /^hashmail_mailbox_count 0$/m)
  assert.equal((await get(`http://127.0.0.1:${port}/other`)).status, 404)
  assert.equal((await get(`${url}/metrics`)).status, 404)
})

test('profiles have a port of their own', async (t) => {
  const free = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => free.once('listening', resolve))
  const { port: profile } = free.address() as net.AddressInfo
  await assert.rejects(start(t, { profile }), { code: 'ERR_LISTEN_ADDRESS', message: /^profile:/ })
  await new Promise((resolve) => free.close(resolve))
  const { hub, url } = await start(t, { profile })
  assert.match((await get(`http://127.0.0.1:${profile}/`)).text, /\/cpu\?seconds=N/)
  assert.equal((await get(`${url}/cpu`)).status, 404)
  await hub.close()
  await assert.rejects(get(`http://127.0.0.1:${profile}/`))
})

test('a port in use ends the start and leaves nothing open', async (t) => {
  const { url } = await start(t)
  const listenaddr = new URL(url).host
  await assert.rejects(start(t, { listenaddr }), {
    code: 'ERR_LISTEN_ADDRESS',
    message: /another program listens there$/,
  })
})

test('a hub that is told to close while it starts closes all that the start opens', async (t) => {
  const values = { listenaddr: '127.0.0.1:0', hashmail: { enabled: true } }
  const hub = createHub(loadConfig({ configfile: false, basedir: folder(t), values }))
  const starting = hub.listen()
  await assert.rejects(hub.listen(), TypeError)
  const closing = hub.close()
  const { port } = new URL(await starting)
  await closing
  assert.equal(hub.address, undefined)
  const socket = net.connect(Number(port), '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
})

test('half a pair of certificate and key ends the start', async (t) => {
  const basedir = folder(t)
  writeFileSync(path.join(basedir, 'tls.cert'), '')
  const config = loadConfig({ configfile: false, basedir, values: { listenaddr: '127.0.0.1:0' } })
  const hub = createHub(config)
  await assert.rejects(hub.listen(), { code: 'ERR_LISTEN_CERTIFICATE' })
  await hub.close()
})

test('the body of a request for nothing has a deadline too', async (t) => {
  const { url } = await start(t, { readtimeout: '30ms' })
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(
    'POST /none HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nx',
  )
  await new Promise((resolve) => socket.resume().once('close', resolve))
})

test('a hub listens once and closes as often as one likes', async (t) => {
  const { hub } = await start(t)
  await assert.rejects(hub.listen(), TypeError)
  await hub.close()
  await hub.close()
})
