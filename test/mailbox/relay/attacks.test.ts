/** What single clients of the relay could make it hold, or end, without paying for it. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import test from 'node:test'
import WebSocket from 'ws'
import { ManualClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { FrameReader, grpcFrame } from '../../../mailbox/hashmail/grpc-frame.ts'
import { formatCipherBox, parseCipherBox } from '../../../mailbox/hashmail/json.ts'
import { REST_RECEIVE_PATH, REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { JsonSplitter } from '../../../mailbox/relay/json-splitter.ts'
import { relayLimits } from '../../../mailbox/relay/limits.ts'
import { Relay } from '../../../mailbox/relay/relay.ts'
import { WebSocketFrames } from '../../../mailbox/relay/websocket-frames.ts'
import { serveWebSocket } from '../../../mailbox/relay/websocket.ts'
import { connectGrpc, freshId, GrpcCallClient, startBothFaces } from './harness.ts'
import { RelayClientMeter } from './meter.ts'

const READ_BYTES = 65_536

/** A frame of a client with a mask of zeros. */
const frame = (first: number, payload: string): Buffer =>
  Buffer.concat([
    Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]),
    Buffer.from(payload, 'latin1'),
  ])

const PING = frame(0x89, 'x'.repeat(125))
const BEGUN_TEXT = 0x01
const END_OF_TEXT = 0x80

/** A client's side of a connection that takes nothing of what is sent to it. */
class StuckSocket extends Duplex {
  /** What has been given to the connection; the rest waits. */
  readonly given: Buffer[] = []
  #take = () => {}

  constructor() {
    super({ read() {} })
  }
  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.given.push(chunk)
    this.#take = taken
  }
  /** The client takes all that waits. */
  async catchUp(): Promise<void> {
    while (this.writableLength > 0) {
      this.#take()
      await new Promise(setImmediate)
    }
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
}

test('pings of a client that takes no pongs cost no memory', async (t) => {
  const clock = new ManualClock()
  const relay = new Relay(relayLimits({}), clock, silentLog)
  const socket = new StuckSocket()
  t.after(() => socket.destroy())
  const peer = { socket: socket as unknown as Socket, address: '192.0.2.1', url: REST_SEND_PATH }
  serveWebSocket(relay, 'send', { ...peer, head: Buffer.alloc(0) })
  for (let n = 0; n < 1000; n++) socket.push(Buffer.concat([PING, PING, PING]))
  await new Promise(setImmediate)
  assert.ok(socket.writableLength > 0)
  assert.ok(socket.writableLength < 20_000, `${socket.writableLength} bytes of pongs wait`)
})

test('a reader behind much that waits for it is asked whether it lives, and does', async (t) => {
  const clock = new ManualClock()
  const limits = relayLimits({ wsPingIntervalMs: 2000, wsPongWaitMs: 1000 })
  const socket = new StuckSocket()
  t.after(() => socket.destroy())
  const peer = { socket: socket as unknown as Socket, address: '192.0.2.1', url: REST_RECEIVE_PATH }
  serveWebSocket(new Relay(limits, clock, silentLog), 'receive', { ...peer, head: Buffer.alloc(0) })
  socket.write(Buffer.alloc(100_000))
  clock.advance(2000)
  await socket.catchUp()
  const [, ping] = socket.given
  assert.equal(ping?.[0], 0x89)
  socket.push(frame(0x8a, ping.subarray(2).toString('latin1')))
  await new Promise(setImmediate)
  clock.advance(1000)
  assert.equal(socket.writableEnded, false)
  clock.advance(2000)
  clock.advance(1000)
  assert.equal(socket.writableEnded, true, 'and without an answer it ends')
})

/** Puts `bytes` at the end of a read of the usual size, as a socket gives it. */
function atEndOfRead(bytes: Uint8Array): Buffer {
  const read = Buffer.alloc(READ_BYTES)
  read.set(bytes, read.length - bytes.length)
  return read
}

/** What is kept of a read must not be a view on it: its memory may then be written over without harm. */
const spoil = (read: Buffer): void => void read.fill(0x7f)

test('a piece of a gRPC prefix does not keep the read that it came in', () => {
  const frames = new FrameReader()
  const sent = grpcFrame(Buffer.from('hello'))
  const read = atEndOfRead(sent.subarray(0, 3))
  frames.push(read.subarray(READ_BYTES - 3))
  assert.equal(frames.next(), undefined)
  spoil(read)
  frames.push(Buffer.from(sent.subarray(3)))
  assert.equal(Buffer.from(frames.next() ?? []).toString(), 'hello')
})

test('a fragment of a WebSocket message, or of a control frame, does not keep the read that it came in', () => {
  const pinged: string[] = []
  const frames = new WebSocketFrames(4096, {
    pinged: (payload) => pinged.push(Buffer.from(payload).toString()),
    ponged() {},
    closed() {},
  })
  const first = Buffer.concat([frame(BEGUN_TEXT, 'a'), ...Array<Buffer>(400).fill(PING)])
  frames.push(first)
  assert.equal(frames.take(), undefined)
  frames.settle()
  spoil(first)
  const ping = frame(0x89, 'there?')
  const second = Buffer.concat([...Array<Buffer>(400).fill(PING), ping.subarray(0, 9)])
  frames.push(second)
  assert.equal(frames.take(), undefined)
  frames.settle()
  spoil(second)
  frames.push(Buffer.concat([ping.subarray(9), frame(END_OF_TEXT, 'b')]))
  assert.equal(Buffer.from(frames.take() as Uint8Array).toString(), 'ab')
  assert.equal(pinged.at(-1), 'there?')
})

test('a piece of a JSON text does not keep the read that it came in, nor more than 4 KiB unpaid', () => {
  const source = new JsonSplitter(100_000)
  const id = freshId()
  const text = Buffer.from(formatCipherBox(id, Buffer.from('hello')))
  const read = atEndOfRead(text.subarray(0, 20))
  source.push(read.subarray(READ_BYTES - 20))
  assert.equal(source.size(), undefined)
  spoil(read)
  source.push(text.subarray(20))
  assert.equal(source.size(), text.length)
  const message = source.take(true)
  assert.ok(message && !(message instanceof Error))
  assert.equal(Buffer.from(message.msg).toString(), 'hello')

  source.push(Buffer.from(`{"msg":"${'A'.repeat(4096)}`))
  assert.equal(source.size(), 100_000)
})

test('strings of JSON are what JSON.parse takes them for, however long', () => {
  const read = (inner: string): string | undefined => {
    const box = parseCipherBox(`{"msg":"${inner}"}`)
    return 'refused' in box ? undefined : Buffer.from(box.msg).toString()
  }
  assert.equal(read('aGVs\\u0062G8='), 'hello')
  assert.equal(read('Pz8\\/'), '???')
  for (const none of ['aGVs\nbG8=', '\\x41AAA', '\\u00', 'AAA\\', 'AAAA"', '\u0000AAA']) {
    assert.equal(read(none), undefined, JSON.stringify(none))
  }
  const long = Buffer.alloc(4_000_000, 'x')
  assert.equal(read(long.toString('base64'))?.length, long.length)
  const escaped = long.toString('base64').replaceAll('/', '\\/').replaceAll('H', '\\u0048')
  assert.equal(read(escaped)?.length, long.length)
})

test('a REST receive that is given up before it has said which box leaves nothing behind', async (t) => {
  const meter = new RelayClientMeter()
  const relay = await startBothFaces({ registry: meter.registry })
  t.after(() => relay.close())
  const session = connectGrpc(relay.h2)
  for (let n = 0; n < 20; n++) {
    const stream = session.request({ ':method': 'POST', ':path': REST_RECEIVE_PATH })
    stream.on('error', () => {})
    stream.write('{"stream_id":')
    await new Promise((resolve) => session.ping(resolve))
    stream.close(8)
    await new Promise((resolve) => stream.once('close', resolve))
    await new Promise((resolve) => session.ping(resolve))
  }
  await new Promise(setImmediate)
  assert.equal(await meter.value('pinhole_relay_streams', { face: 'rest' }), 0)
  assert.equal(await meter.value('pinhole_relay_addresses'), 0)
  session.destroy()
})

test('clients behind a proxy are told apart on every face', { timeout: 30_000 }, async (t) => {
  const meter = new RelayClientMeter()
  const relay = await startBothFaces({
    registry: meter.registry,
    addressOf: ({ headers }) => String(headers['x-client']),
  })
  t.after(() => relay.close())
  const session = connectGrpc(relay.h2)
  const grpc = new GrpcCallClient(session, 'SendStream', { 'x-client': 'a' })
  const rest = session.request({ ':method': 'POST', ':path': REST_SEND_PATH, 'x-client': 'b' })
  rest.on('error', () => {})
  rest.write('{')
  const socket = new WebSocket(`ws://127.0.0.1:${relay.h1}${REST_SEND_PATH}`, {
    headers: { 'x-client': 'c' },
  })
  await new Promise((resolve) => socket.once('open', resolve))
  await new Promise((resolve) => session.ping(resolve))
  await until(async () => (await meter.value('pinhole_relay_addresses')) === 3)
  socket.terminate()
  grpc.cancel()
  session.destroy()
})

/** Resolves once `holds` does; the relay has read what was sent to it by then. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate)
}
