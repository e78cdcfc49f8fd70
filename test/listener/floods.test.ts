/** HTTP/2 attacks by hand-made frames: each ends its own connection, and the port goes on serving. */
import assert from 'node:assert/strict'
import http2 from 'node:http2'
import net from 'node:net'
import test from 'node:test'
import { get2, listen, open2, OPTIONS, V2 } from './serving.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const Type = { headers: 1, rst: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const
const GOAWAY = 7
const HEAD_BYTES = 9

function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

// GET http a: indexed fields 2 and 6 of the static table, :path and :authority as literals (RFC 7541).
const block = (where: string) =>
  Buffer.from([0x82, 0x86, 0x04, where.length, ...Buffer.from(where), 0x41, 1, 0x61])
const END_STREAM_AND_HEADERS = 0x5
const END_STREAM = 0x1
const cancel = Buffer.from([0, 0, 0, 8])

interface Flood {
  readonly closed: Promise<void>
  /** Resolves once the server has said that it takes no more. */
  readonly goaway: Promise<void>
}

/** Writes preface and `frames` on a connection of its own. */
function flood(port: number, frames: readonly Buffer[]): Flood {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(Buffer.concat([PREFACE, frame(Type.settings, 0, 0), ...frames]))
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => {}).on('close', () => resolve())
  })
  let received: Buffer = Buffer.alloc(0)
  const goaway = new Promise<void>((resolve) => {
    socket.on('data', (data: Buffer) => {
      received = Buffer.concat([received, data])
      while (received.length >= HEAD_BYTES) {
        const end = HEAD_BYTES + received.readUIntBE(0, 3)
        if (received.length < end) return
        if (received[3] === GOAWAY) resolve()
        received = received.subarray(end)
      }
    })
  })
  return { closed, goaway }
}

const times = (count: number, make: (index: number) => Buffer) =>
  Array.from({ length: count }, (_, i) => make(i))

test('rapid reset: streams opened and cancelled by the thousand (CVE-2023-44487)', async (t) => {
  const { port, url, clock } = await listen(t)
  const headers = block('/hang')
  const { goaway, closed } = flood(
    port,
    times(5_000, (i) =>
      Buffer.concat([
        frame(Type.headers, END_STREAM_AND_HEADERS, 2 * i + 1, headers),
        frame(Type.rst, 0, 2 * i + 1, cancel),
      ]),
    ),
  )
  await goaway
  // Node leaves the connection to its owner then; here it ends like any idle one.
  clock.advance(2 * OPTIONS.idleTimeoutMs)
  await closed
  assert.deepEqual(await get2(open2(t, url)), V2)
})

test('headers that never end: CONTINUATION without limit (CVE-2024-27316)', async (t) => {
  const { port, url } = await listen(t)
  const first = frame(Type.headers, END_STREAM, 1, block('/'))
  const more = frame(Type.continuation, 0, 1, Buffer.from([0x00, 1, 0x78, 1, 0x79]))
  await flood(port, [first, ...times(50_000, () => more)]).closed
  assert.deepEqual(await get2(open2(t, url)), V2)
})

test('pings and settings whose answers nobody reads', async (t) => {
  const { port, url } = await listen(t)
  const settings = frame(Type.settings, 0, 0, Buffer.from([0, 4, 0, 1, 0, 0]))
  const ping = frame(Type.ping, 0, 0, Buffer.alloc(8))
  for (const one of [settings, ping]) {
    const socket = net.connect(port, '127.0.0.1')
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
    socket.pause()
    socket.write(Buffer.concat([PREFACE, frame(Type.settings, 0, 0)]))
    // Never reading fills the way back; what cannot be sent is counted and ends the connection.
    const pace = setInterval(() => socket.write(Buffer.concat(times(20_000, () => one))), 5)
    const reading = setTimeout(() => socket.resume(), 1_000)
    await closed
    clearInterval(pace)
    clearTimeout(reading)
  }
  assert.deepEqual(await get2(open2(t, url)), V2)
})

test('the limit of streams is announced, and as many streams live', async (t) => {
  const limits = { ...OPTIONS.limits, streamsPerConnection: 5 }
  const { url } = await listen(t, { limits })
  const session = open2(t, url)
  await get2(session)
  assert.equal(session.remoteSettings.maxConcurrentStreams, 5)
  const begun = times(5, () => Buffer.alloc(0)).map(() => {
    const stream = session.request({ ':path': '/hang' })
    return new Promise((resolve) => stream.once('data', resolve))
  })
  await Promise.all(begun)
})

test('thousands of streams on one connection are served', async (t) => {
  const limits = { ...OPTIONS.limits, streamsPerConnection: 10_000 }
  const { url } = await listen(t, { limits })
  const session = http2.connect(url, { maxSessionMemory: 200, peerMaxConcurrentStreams: 10_000 })
  t.after(() => session.destroy())
  session.on('error', () => {})
  await new Promise((resolve) => session.once('remoteSettings', resolve))
  const streams = Array.from({ length: 6_000 }, () => session.request({ ':path': '/hang' }))
  await Promise.all(
    streams.map(
      (stream) =>
        new Promise((resolve, reject) => stream.once('data', resolve).on('error', reject)),
    ),
  )
  assert.deepEqual(await get2(session), V2)
})
