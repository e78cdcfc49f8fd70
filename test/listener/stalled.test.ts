/** Clients that ask and read no answer. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import test, { describe, type TestContext } from 'node:test'
import tls from 'node:tls'
import { moment } from '../moment.ts'
import { listen, newPair, type Running } from './serving.ts'

const LIMIT_MS = 30_000
/** Together more than the system holds for a connection of loopback. */
const MANY = 60
const ECHOED = 'x'.repeat(400_000)
const REQUEST = `POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: ${ECHOED.length}\r\n\r\n${ECHOED}`

/** Asks without reading until the server does not take any more. */
async function deaf(t: TestContext, { port, listener }: Running, secure: boolean) {
  const socket = secure
    ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : net.connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.pause()
  await new Promise((resolve) => socket.once(secure ? 'secureConnect' : 'connect', resolve))
  socket.write(REQUEST.repeat(MANY))
  for (let last = -1; last !== socket.bytesWritten - socket.writableLength;) {
    last = socket.bytesWritten - socket.writableLength
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.equal(listener.connections, 1)
  return socket
}

describe('a client that pipelines requests and reads no answer', () => {
  for (const secure of [false, true]) {
    test(`is cut after writetimeout, ${secure ? 'over TLS' : 'in cleartext'}`, async (t) => {
      const pair = secure ? await newPair() : undefined
      const running = await listen(t, { tls: pair, writeTimeoutMs: LIMIT_MS })
      await deaf(t, running, secure)
      for (let i = 0; i < 12 && running.listener.connections > 0; i++) {
        running.clock.advance(LIMIT_MS / 8)
        await moment()
      }
      for (let i = 0; i < 40 && running.listener.connections > 0; i++) await moment()
      assert.equal(running.listener.connections, 0)
    })
  }

  test('is left alone while it takes a little now and then', async (t) => {
    const running = await listen(t, { writeTimeoutMs: LIMIT_MS })
    const socket = await deaf(t, running, false)
    let read = 0
    socket.on('data', (chunk: Buffer) => {
      read += chunk.length
      socket.pause()
    })
    for (let i = 0; i < 12; i++) {
      running.clock.advance(LIMIT_MS / 8)
      const before = read
      while (read - before < 200_000) {
        socket.resume()
        await moment()
        assert.equal(socket.destroyed, false)
      }
    }
    assert.equal(running.listener.connections, 1)
  })

  test('may stay for ever where writetimeout is 0', async (t) => {
    const running = await listen(t)
    await deaf(t, running, false)
    running.clock.advance(10 * LIMIT_MS)
    await moment()
    assert.equal(running.listener.connections, 1)
  })
})

describe('an HTTP/2 client whose window is zero', () => {
  /** Asks for `path` without taking any of its body. */
  async function ask(t: TestContext, { url }: Running, path: string) {
    const session = http2.connect(url, { settings: { initialWindowSize: 0 } })
    t.after(() => session.destroy())
    session.on('error', () => {})
    const stream = session.request({ ':path': path })
    stream.on('error', () => {})
    await once(stream, 'response')
    return stream
  }

  test('loses its stream after writetimeout, and keeps its connection', async (t) => {
    const running = await listen(t, { writeTimeoutMs: LIMIT_MS })
    const stream = await ask(t, running, '/')
    const closed = once(stream, 'close')
    let passed = 0
    for (; passed < 4 * LIMIT_MS && !stream.closed; passed += LIMIT_MS / 8) {
      running.clock.advance(LIMIT_MS / 8)
      await moment()
    }
    await closed
    assert.ok(passed >= LIMIT_MS)
    assert.equal(stream.rstCode, http2.constants.NGHTTP2_CANCEL)
    assert.equal(running.listener.connections, 1)
  })

  test('keeps a stream whose answer goes on', async (t) => {
    const running = await listen(t, { writeTimeoutMs: LIMIT_MS })
    const stream = await ask(t, running, '/hang')
    for (let passed = 0; passed < 2 * LIMIT_MS; passed += LIMIT_MS / 8) {
      running.clock.advance(LIMIT_MS / 8)
      await moment()
    }
    assert.equal(stream.closed, false)
  })
})
