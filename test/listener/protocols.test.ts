import assert from 'node:assert/strict'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import test from 'node:test'
import { get, get2, listen, newPair, open2, raw, V1, V2 } from './serving.ts'

test('TLS: HTTP/2 and HTTP/1.1 by ALPN, HTTP/1.1 without ALPN', async (t) => {
  const { url, port } = await listen(t, { tls: await newPair() })
  assert.deepEqual(await get(url), V1)
  assert.deepEqual(await get2(open2(t, url)), V2)
  const speak = (ALPNProtocols?: string[]) =>
    new Promise<string | false | null>((resolve, reject) => {
      const socket = tls.connect({
        port,
        rejectUnauthorized: false,
        ...(ALPNProtocols && { ALPNProtocols }),
      })
      socket.on('secureConnect', () => {
        resolve(socket.alpnProtocol)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  assert.equal(await speak(['h2', 'http/1.1']), 'h2')
  assert.equal(await speak(['http/1.1']), 'http/1.1')
  assert.equal(await speak(), false)
  await assert.rejects(speak(['smtp']), /no application protocol/i)
})

test('TLS: nothing below 1.2', async (t) => {
  const { port } = await listen(t, { tls: await newPair() })
  const handshake = (version: tls.SecureVersion) =>
    new Promise<string | null>((resolve, reject) => {
      const socket = tls.connect(
        {
          port,
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
        () => {
          resolve(socket.getProtocol())
          socket.destroy()
        },
      )
      socket.on('error', reject)
    })
  assert.equal(await handshake('TLSv1.2'), 'TLSv1.2')
  await assert.rejects(handshake('TLSv1.1'))
})

test('TLS: a replaced certificate is served from the next handshake on', async (t) => {
  const { port, listener } = await listen(t, { tls: await newPair() })
  const served = () =>
    new Promise<string>((resolve) => {
      const socket = tls.connect({ port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.destroy()
      })
    })
  const before = await served()
  assert.equal(await served(), before)
  listener.replaceCertificate(await newPair())
  assert.notEqual(await served(), before)
})

test('cleartext: HTTP/1.1 and HTTP/2 with prior knowledge on one port', async (t) => {
  const { url } = await listen(t)
  assert.deepEqual(await get(url), V1)
  const session = open2(t, url)
  assert.deepEqual(await get2(session), V2)
  assert.deepEqual(await get2(session), V2)
})

test('cleartext: first bytes that come one by one', async (t) => {
  const { port } = await listen(t)
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  const answer = new Promise<string>((resolve) =>
    socket.once('data', (data) => resolve(String(data))),
  )
  for (const letter of 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n') {
    await new Promise((resolve) => socket.write(letter, resolve))
  }
  assert.match(await answer, /^HTTP\/1\.1 404 /)
  socket.destroy()
})

test('cleartext: an HTTP/2 preface in two pieces', async (t) => {
  const { port } = await listen(t)
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve))
  await new Promise((resolve) => socket.write('PR', resolve))
  await new Promise(setImmediate)
  socket.write('I * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]))
  const SETTINGS = 4
  assert.equal((await answer)[3], SETTINGS)
  socket.destroy()
})

test('a body that comes with the first bytes is not lost', async (t) => {
  const { port } = await listen(t)
  const body = JSON.stringify({ text: 'x'.repeat(20_000) })
  const head = `POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n`
  const answer = await raw(port, `${head}content-length: ${body.length}\r\n\r\n${body}`)
  assert.ok(answer.startsWith('HTTP/1.1 200 OK'))
  assert.ok(answer.endsWith(body))
})

for (const secure of [false, true]) {
  test(`upgrades reach fastify.server, ${secure ? 'TLS' : 'cleartext'}`, async (t) => {
    const { url } = await listen(t, secure ? { tls: await newPair() } : {})
    const { request } = secure ? https : http
    const headers = { connection: 'upgrade', upgrade: 'x', 'sec-websocket-key': 'k' }
    const status = await new Promise((resolve, reject) => {
      const sent = request(url, { agent: false, rejectUnauthorized: false, headers })
      sent.on('upgrade', (response, socket) => {
        socket.destroy()
        resolve(response.statusCode)
      })
      sent.on('error', reject).end()
    })
    assert.equal(status, 101)
  })
}

test('a TLS client on a cleartext port is told so in words', async (t) => {
  const { port } = await listen(t)
  const hello = Buffer.from('160301000501000001', 'hex')
  const answer = await raw(port, hello)
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.match(answer, /This port speaks cleartext .* use http:\/\//)
  await assert.rejects(
    get(`https://127.0.0.1:${port}/`),
    /wrong version number|packet length|http request/i,
  )
})

test('a cleartext client on a TLS port is told so in words', async (t) => {
  const { port } = await listen(t, { tls: await newPair() })
  const { status, text } = await get(`http://127.0.0.1:${port}/`)
  assert.equal(status, 400)
  assert.match(text, /This port speaks TLS: use https:\/\//)
})
