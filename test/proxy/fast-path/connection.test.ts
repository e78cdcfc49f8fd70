/** How long connections stay on the fast path, and how they leave it. */
import assert from 'node:assert/strict'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import v8 from 'node:v8'
import vm from 'node:vm'
import { FastPath } from '../../../proxy/fast-path/fast-path.ts'
import type { PlainReply } from '../../../proxy/fast-path/reply.ts'
import { ManualClock } from '../../../src/base/clock.ts'

const HEADER_MS = 2_000
const IDLE_MS = 60_000
const REQUEST = 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n'

interface Client {
  readonly socket: net.Socket
  readonly text: () => string
  readonly closed: Promise<unknown>
}

interface Open {
  readonly clock: ManualClock
  readonly fastPath: FastPath
  /** Answers that are due. */
  readonly due: PlainReply[]
  /** What Node's server was asked. */
  readonly long: string[]
  readonly connect: () => Promise<Client>
}

async function open(t: TestContext, maxHeadBytes = 1_000): Promise<Open> {
  const clock = new ManualClock()
  const fastPath = new FastPath({
    maxHeadBytes,
    headerTimeoutMs: HEADER_MS,
    idleTimeoutMs: IDLE_MS,
    clock,
  })
  const due: PlainReply[] = []
  const long: string[] = []
  fastPath.serve((_request, reply) => due.push(reply) > 0)
  const behind = http.createServer((req, res) => {
    long.push(req.url ?? '')
    res.end('long')
  })
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    fastPath.accept(socket, (unread) => {
      behind.emit('connection', socket)
      if (unread) socket.emit('data', unread)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    behind.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return {
    ...{ clock, fastPath, due, long },
    async connect() {
      const socket = net.connect(port, '127.0.0.1').setNoDelay()
      t.after(() => socket.destroy())
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      const before = fastPath.size
      const closed = new Promise((resolve) => socket.once('close', resolve))
      await until(() => fastPath.size > before)
      return { socket, text: () => text, closed }
    },
  }
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await turn()
}

const answer = (reply: PlainReply | undefined, body = 'ware') =>
  reply?.answer({ status: 200, headers: {}, body })

test('a connection without a request is closed when the header timeout is over', async (t) => {
  const { clock, fastPath, connect } = await open(t)
  const { closed } = await connect()
  clock.advance(HEADER_MS - 1_000)
  assert.equal(fastPath.size, 1)
  clock.advance(1_000)
  await closed
  await until(() => fastPath.size === 0)
})

test('an idle connection is closed when the idle timeout is over, one that waits for its answer is not', async (t) => {
  const { clock, fastPath, due, connect } = await open(t)
  const { socket, text, closed } = await connect()
  socket.write(REQUEST)
  await until(() => due.length === 1)
  clock.advance(10 * IDLE_MS)
  await turn()
  assert.equal(fastPath.size, 1)
  answer(due[0])
  await until(() => text().endsWith('ware'))
  assert.match(text(), /\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n/)
  clock.advance(IDLE_MS - 1_000)
  assert.equal(fastPath.size, 1)
  clock.advance(1_000)
  await closed
})

test('draining closes what is idle, and the rest once it has its answer, which says so', async (t) => {
  const { fastPath, due, connect } = await open(t)
  const idle = await connect()
  const busy = await connect()
  busy.socket.write(REQUEST + REQUEST)
  await until(() => due.length === 1)
  fastPath.drain()
  await idle.closed
  await until(() => fastPath.size === 1)
  answer(due[0])
  await busy.closed
  assert.match(busy.text(), /\r\nConnection: close\r\n/)
  assert.equal(due.length, 1, 'what was asked behind it has no answer')
  await until(() => fastPath.size === 0)
})

test('requests that come together are answered one after the other, in their order', async (t) => {
  const { due, long, connect } = await open(t)
  const { socket, text } = await connect()
  socket.write(REQUEST.repeat(2))
  socket.write('GET /long HTTP/1.0\r\nHost: h\r\n\r\n')
  await until(() => due.length === 1)
  await turn()
  assert.equal(due.length, 1)
  answer(due[0], 'first')
  await until(() => due.length === 2)
  assert.deepEqual(long, [])
  answer(due[1], 'second')
  await until(() => text().endsWith('long'))
  assert.match(text(), /first[^]+second[^]+long$/)
  assert.deepEqual(long, ['/long'])
})

test('a client that leaves is told to whoever answers, and writes nothing any more', async (t) => {
  const { due, connect } = await open(t)
  const { socket } = await connect()
  socket.write(REQUEST)
  await until(() => due.length === 1)
  const told: boolean[] = []
  due[0]?.onClose((complete) => told.push(complete))
  socket.destroy()
  await until(() => told.length > 0)
  assert.deepEqual(told, [false])
  answer(due[0])
})

test('a head that is too long, or comes in pieces, goes to Node with all its bytes', async (t) => {
  const { long, due, connect } = await open(t)
  for (const pieces of [
    [`GET /a HTTP/1.1\r\nHost: h\r\nX-A: ${'a'.repeat(2_000)}\r\n\r\n`],
    ['GET /b HT', 'TP/1.1\r\nHost: h\r\n\r\n'],
    ['POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n', '0\r\n\r\n'],
  ]) {
    const { socket, text } = await connect()
    for (const piece of pieces) {
      socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await until(() => text().endsWith('long'))
  }
  assert.deepEqual(long, ['/a', '/b', '/c'])
  assert.deepEqual(due, [])
})

test('an idle connection keeps nothing of a long head', async (t) => {
  const count = 100
  const bytes = 30_000
  const { due, connect } = await open(t, 2 * bytes)
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc') as () => void
  const used = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  for (let i = 0; i < count; i++) {
    const { socket, text } = await connect()
    socket.write(`GET /x HTTP/1.1\r\nHost: h\r\nX-A: ${`${i}`.padEnd(bytes, 'a')}\r\n\r\n`)
    await until(() => due.length === 1)
    answer(due.pop())
    await until(() => text().endsWith('ware'))
  }
  const kept = used() - before
  assert.ok(kept < (count * bytes) / 2, `${kept} bytes are kept`)
})
