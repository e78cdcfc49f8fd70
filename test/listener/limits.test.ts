import assert from 'node:assert/strict'
import http2 from 'node:http2'
import net from 'node:net'
import test from 'node:test'
import tls from 'node:tls'
import { PING_EVERY_MS } from '../../src/listener/sessions.ts'
import { get, get2, listen, newPair, open2, OPTIONS, raw, V1 } from './serving.ts'

test('garbage gets a 400 and the end', async (t) => {
  const { port } = await listen(t)
  assert.match(await raw(port, 'garbage\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request/)
  assert.match(await raw(port, Buffer.from([0, 0xff, 1, 2])), /^HTTP\/1\.1 400 Bad Request/)
  assert.match(await raw(port, 'GET / HTTP/1.1\r\nhost: a\r\nx : 1\r\n\r\n'), /^HTTP\/1\.1 400/)
  const smuggle =
    'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'
  assert.match(await raw(port, `${smuggle}0\r\n\r\n`), /^HTTP\/1\.1 400/)
})

test('an HTTP/2 preface with garbage after it ends, and the port lives', async (t) => {
  const { port, url } = await listen(t)
  await raw(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', Buffer.alloc(200, 0xff))
  assert.deepEqual(await get(url), V1)
})

test('headers larger than the limit are refused, in HTTP/1.1 and HTTP/2', async (t) => {
  const { url } = await listen(t, { limits: { ...OPTIONS.limits, headerBytes: 4_096 } })
  const { status } = await get(url, { headers: { x: 'y'.repeat(8_000) } })
  assert.equal(status, 431)
  const session = open2(t, url)
  // The limit holds from the client's acknowledgement of our settings on.
  await get2(session)
  const refused = await new Promise<string>((resolve) => {
    const stream = session.request({ ':path': '/', x: 'y'.repeat(8_000) })
    stream.on('response', (headers) => resolve(String(headers[':status'])))
    stream.on('error', () => resolve('reset'))
    stream.resume()
  })
  assert.match(refused, /^(431|reset)$/)
})

test('slow headers are cut: whoever sends nothing, and whoever never ends', async (t) => {
  const { port } = await listen(t, { headerTimeoutMs: 30 })
  const [silent, slow] = await Promise.all([
    raw(port),
    raw(port, 'GET / HTTP/1.1\r\nhost: a\r\nx: '),
  ])
  assert.equal(silent, '')
  assert.match(slow, /^HTTP\/1\.1 408 Request Timeout/)
})

test('a TLS handshake that never ends is cut', async (t) => {
  const { port } = await listen(t, { tls: await newPair(), headerTimeoutMs: 30 })
  assert.equal(await raw(port, Buffer.from([0x16, 3, 1, 2, 0])), '')
})

test('an HTTP/2 connection without a request is cut', async (t) => {
  const { url, clock } = await listen(t)
  const session = open2(t, url)
  await new Promise((resolve) => session.once('remoteSettings', resolve))
  const closed = new Promise((resolve) => session.once('close', resolve))
  clock.advance(OPTIONS.headerTimeoutMs + 1_000)
  await closed
})

test('an idle HTTP/2 connection gets a GOAWAY, one with an open stream stays', async (t) => {
  const { url, clock } = await listen(t, { idleTimeoutMs: 10_000 })
  const [idle, busy] = [open2(t, url), open2(t, url)]
  await get2(idle)
  const stream = busy.request({ ':path': '/hang' })
  await new Promise((resolve) => stream.once('data', resolve))
  const gone = new Promise((resolve) => idle.once('goaway', resolve))
  clock.advance(16_000)
  await gone
  assert.equal(busy.closed, false)
  stream.close()
})

test('an HTTP/2 peer that answers no ping is cut; one that answers stays', async (t) => {
  const { url, clock, port } = await listen(t)
  const alive = open2(t, url)
  const stream = alive.request({ ':path': '/hang' })
  await new Promise((resolve) => stream.once('data', resolve))

  // A peer by hand, which opens a stream and then never says a word.
  const dead = net.connect(port, '127.0.0.1')
  const closed = new Promise((resolve) => dead.once('close', resolve))
  dead.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  dead.write(Buffer.from('000000040000000000', 'hex'))
  const headers = Buffer.from([0x82, 0x86, 0x04, 5, ...Buffer.from('/hang'), 0x41, 1, 0x61])
  dead.write(Buffer.concat([Buffer.from([0, 0, headers.length, 1, 5, 0, 0, 0, 1]), headers]))
  let seen = ''
  await new Promise<void>((resolve) => {
    dead.on('data', (data: Buffer) => {
      seen += data.toString('latin1')
      if (seen.includes('begun')) resolve()
    })
  })

  const pinged = new Promise((resolve) => alive.once('ping', resolve))
  clock.advance(PING_EVERY_MS + OPTIONS.headerTimeoutMs)
  await pinged
  // The answer has to arrive before time goes on.
  await new Promise((resolve) => alive.ping(resolve))
  clock.advance(PING_EVERY_MS)
  await closed
  assert.equal(alive.closed, false)
  stream.close()
})

for (const secure of [false, true]) {
  const name = `an HTTP/2 client that has ended its half of the connection is gone, ${secure ? 'TLS' : 'cleartext'}`
  test(name, { timeout: 20_000 }, async (t) => {
    const { url, port, listener } = await listen(t, { tls: secure ? await newPair() : undefined })
    // What the kernel does for a process that was killed: no GOAWAY, no RST, only FIN.
    const socket = secure
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      : net.connect({ port, host: '127.0.0.1' })
    const session = http2.connect(url, { createConnection: () => socket })
    session.on('error', () => {})
    t.after(() => session.destroy())
    const stream = session.request({ ':path': '/hang' })
    stream.on('error', () => {})
    await new Promise((resolve) => stream.once('data', resolve))
    assert.equal(listener.connections, 1)
    socket.end()
    while (listener.connections > 0) await new Promise(setImmediate)
  })
}

test('connections beyond the limit of an address are closed, and counted down again', async (t) => {
  const { url, port, listener } = await listen(t, {
    limits: { ...OPTIONS.limits, connectionsPerAddress: 2 },
  })
  const connect = () =>
    new Promise<net.Socket>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(socket))
      socket.on('error', () => {})
    })
  const [first, second] = [await connect(), await connect()]
  while (listener.connections < 2) await new Promise(setImmediate)
  await assert.rejects(get(url), /ECONNRESET|socket hang up/)
  first.destroy()
  second.destroy()
  while (listener.connections > 0) await new Promise(setImmediate)
  assert.deepEqual(await get(url), V1)
})

test('a blocked address is closed at once', async (t) => {
  const blocked = new Set(['127.0.0.1'])
  const { url } = await listen(t, { limits: { ...OPTIONS.limits, blocked } })
  await assert.rejects(get(url), /ECONNRESET|socket hang up/)
})

test('a body that does not arrive in time is cut, also one that nobody reads', async (t) => {
  const { port, clock } = await listen(t, {}, 1_000)
  for (const [where, first] of [
    ['/echo', /^HTTP\/1\.1 408 Request Timeout/],
    ['/none', /^HTTP\/1\.1 408 Request Timeout/],
    ['/early', /^HTTP\/1\.1 200 OK/],
  ] as const) {
    const head = `POST ${where} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n`
    const answer = raw(port, `${head}content-length: 10\r\n\r\n{`)
    const pace = setInterval(() => clock.advance(600), 5)
    const text = await answer
    clearInterval(pace)
    assert.match(text, first)
  }
})
