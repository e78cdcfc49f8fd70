import assert from 'node:assert/strict'
import net from 'node:net'
import os from 'node:os'
import test from 'node:test'
import fastify from 'fastify'
import { createListener } from '../../src/listener.ts'
import { get, listen, open2, OPTIONS, V1 } from './serving.ts'

test('draining: idle connections close, running requests end, new ones find no port', async (t) => {
  const running = await listen(t)
  const { url, port, listener } = running
  const idle = net.connect(port, '127.0.0.1')
  idle.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await new Promise((resolve) => idle.once('data', resolve))
  const idleClosed = new Promise((resolve) => idle.once('close', resolve))
  const session = open2(t, url)
  const stream = session.request({ ':path': '/hang' })
  let text = ''
  await new Promise<void>((resolve) => {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      resolve()
    })
  })
  const goaway = new Promise((resolve) => session.once('goaway', resolve))
  const ended = new Promise((resolve) => stream.once('end', resolve))
  await running.drain()
  await Promise.all([goaway, idleClosed, ended])
  assert.equal(text, 'begun ended')
  assert.equal(listener.connections, 0)
  await assert.rejects(get(url), /ECONNREFUSED/)
})

test('draining: what outlasts the timeout is cut', async (t) => {
  const { port, listener, clock } = await listen(t)
  const socket = net.connect(port, '127.0.0.1')
  socket.write('GET /hang HTTP/1.1\r\nhost: a\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const drained = listener.drain()
  clock.advance(OPTIONS.drainTimeoutMs - 1)
  assert.equal(listener.connections, 1)
  clock.advance(1)
  await drained
  await closed
})

test('a port in use is an error that names it', async (t) => {
  const { port } = await listen(t)
  const second = createListener(OPTIONS)
  const app = fastify({ serverFactory: second.serverFactory })
  await app.ready()
  await assert.rejects(second.listen('127.0.0.1', port), {
    code: 'ERR_LISTEN_ADDRESS',
    message: `cannot listen on 127.0.0.1, port ${port}: another program listens there`,
  })
  await assert.rejects(second.listen('192.0.2.77', 0), /this machine has no such address/)
  await app.close()
})

test('localhost is both loopback addresses', async (t) => {
  const listener = createListener(OPTIONS)
  const app = fastify({ serverFactory: listener.serverFactory })
  app.get('/', (request) => ({ version: request.raw.httpVersion }))
  await app.ready()
  const { port } = await listener.listen('localhost', 0)
  t.after(() => Promise.all([listener.drain(), app.close()]))
  assert.deepEqual(await get(`http://127.0.0.1:${port}`), V1)
  const hasV6 = Object.values(os.networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === '::1'),
  )
  if (hasV6) assert.deepEqual(await get(`http://[::1]:${port}`), V1)
})
