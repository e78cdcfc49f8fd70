import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import { formatCipherBoxAuth } from '../../../mailbox/hashmail/json.ts'
import { REST_PATH, REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { encodeCipherBox, encodeCipherBoxAuth } from '../../../mailbox/hashmail/proto.ts'
import { RelayClientMeter } from './meter.ts'
import {
  createBox,
  freshId,
  GrpcCallClient,
  grpcReader,
  rest,
  SocketClient,
  unary,
  until,
} from './harness.ts'
import { newBox, openBothFaces, openBox, openGrpcFace } from './open-box.ts'
import { moment } from '../../moment.ts'

const KIB = 1024

test('refusals are proper statuses that name the limit', async (t) => {
  const { relay, session } = await openBothFaces(t, {
    maxBoxesPerAddress: 2,
    maxStreamsPerAddress: 2,
  })
  const ids = [freshId(), freshId()] as const
  for (const id of ids) await createBox(session, id)
  const { code, message } = await unary(session, 'NewCipherBox', encodeCipherBoxAuth(freshId()))
  assert.deepEqual(
    [code, message],
    [8, 'too many boxes from one address: hashmail.maxboxesperaddress is 2'],
  )
  const answer = await rest(relay.h1, 'POST', REST_PATH, formatCipherBoxAuth(freshId()))
  assert.equal(answer.status, 429)
  assert.match(answer.text, /"code":8,.*maxboxesperaddress/)

  const readers = [await grpcReader(session, ids[0]), await grpcReader(session, ids[1])] as const
  const third = await grpcReader(session, ids[0])
  assert.deepEqual(await third.ended, {
    code: 8,
    message: 'too many open streams from one address: hashmail.maxstreamsperaddress is 2',
    trailersOnly: true,
  })
  const socket = await SocketClient.reader(relay.h1, ids[0])
  assert.match(await socket.nextText(), /"code":8,.*maxstreamsperaddress/)
  readers[0].cancel()
  await until(() => readers[0].stream.closed, 'the reader has left')
  const next = await grpcReader(session, ids[0])
  await next.opened
  next.cancel()
  readers[1].cancel()
})

test('sizes are refused from the announcement, before the bytes come', async (t) => {
  const { relay, session } = await openBothFaces(t)
  const id = await newBox(session)
  for (const [method, size] of [
    ['SendStream', 5_000_000],
    ['RecvStream', 10_485_760],
    ['NewCipherBox', 10_485_760],
    ['DelCipherBox', 0xffffffff],
  ] as const) {
    const call = new GrpcCallClient(session, method)
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(size, 1)
    call.stream.write(prefix)
    const { code, message } = await call.ended
    assert.equal(code, 8, method)
    assert.match(message, new RegExp(`received message larger than max \\(${size} vs`))
  }
  const socket = await SocketClient.open(relay.h1, REST_SEND_PATH)
  socket.send(id, Buffer.alloc(5_000_000))
  assert.match(await socket.nextText(), /^\{"code":8,"message":"grpc: received message larger/)
  const over = new GrpcCallClient(session, 'SendStream')
  void over.send(encodeCipherBox(id, Buffer.alloc(4 * KIB * KIB + 1)))
  assert.equal((await over.ended).code, 8, 'one byte too many')
})

test('writers wait while the buffers are full, and no byte is held beyond', async (t) => {
  const meter = new RelayClientMeter()
  const boxes = 40
  const each = 20
  const limit = 2 * KIB * KIB
  const { session } = await openGrpcFace(t, {
    maxMessageBytes: 64 * KIB,
    maxBufferedBytes: limit,
    maxBufferedBytesPerAddress: limit,
    maxUnreadMessages: each,
    registry: meter.registry,
  })
  const ids = Array.from({ length: boxes }, freshId)
  for (const id of ids) await createBox(session, id)
  const writers = ids.map((id) => {
    const writer = new GrpcCallClient(session, 'SendStream')
    for (let n = 0; n < each; n++) void writer.send(encodeCipherBox(id, Buffer.alloc(32 * KIB, n)))
    return writer
  })
  const name = 'pinhole_relay_buffered_bytes'
  const held = await settled(() => meter.value(name))
  assert.ok(held <= limit && held > limit / 2 - 64 * KIB, `${held} of ${limit}`)
  // One after the other is read to its end: everything arrives, whoever had to wait.
  for (const id of ids) {
    const reader = await grpcReader(session, id)
    for (let n = 0; n < each; n++) assert.equal((await reader.nextMsg())[0], n)
    reader.cancel()
  }
  for (const writer of writers) writer.cancel()
  await until(() => writers.every((writer) => writer.stream.closed), 'all have left')
  assert.equal(await settled(() => meter.value(name)), 0)
})

test('one stalled reader stops its own writer only', async (t) => {
  const { session } = await openGrpcFace(t)
  const [slow, fast] = [freshId(), freshId()]
  await createBox(session, slow)
  await createBox(session, fast)
  const stalled = await grpcReader(session, slow)
  stalled.stream.pause()
  const blocked = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 100; n++) void blocked.send(encodeCipherBox(slow, Buffer.alloc(32_768, n)))
  await until(() => blocked.stream.writableLength > 0, 'its writer waits')
  const reader = await grpcReader(session, fast)
  const writer = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 50; n++) {
    void writer.send(encodeCipherBox(fast, Buffer.alloc(1000, n)))
    assert.equal((await reader.nextMsg())[0], n)
  }
  stalled.stream.resume()
  for (let n = 0; n < 100; n++) assert.equal((await stalled.nextMsg())[0], n, 'nothing is lost')
})

test('messagerate delays, and only when it is set', async (t) => {
  const clock = new ManualClock()
  const { session } = await openGrpcFace(t, { clock, messageRateMs: 500, messageBurst: 2 })
  const { id, reader, writer } = await openBox(session)
  for (let n = 0; n < 4; n++) void writer.send(encodeCipherBox(id, Buffer.from([n])))
  assert.deepEqual([...(await reader.nextMsg()), ...(await reader.nextMsg())], [0, 1])
  let third: number | undefined
  void reader.nextMsg().then((msg) => (third = msg[0]))
  await moment()
  assert.equal(third, undefined)
  clock.advance(500)
  await until(() => third === 2, 'the third message')
  clock.advance(500)
  assert.equal((await reader.nextMsg())[0], 3)
})

test('who says nothing, or stops half-way, is told after messagetimeout', async (t) => {
  const clock = new ManualClock()
  const { relay, session } = await openBothFaces(t, {
    clock,
    messageTimeoutMs: 1000,
    wsPingIntervalMs: 0,
  })
  const id = await newBox(session)
  const silent = ['RecvStream', 'NewCipherBox'].map((method) => {
    const call = new GrpcCallClient(session, method)
    call.stream.write(Buffer.from([0, 0]))
    return call
  })
  const halfway = new GrpcCallClient(session, 'SendStream')
  void halfway.send(encodeCipherBox(id, Buffer.from('whole')))
  halfway.stream.write(Buffer.from([0, 0, 1, 0, 0, 7]))
  const sockets = [
    await SocketClient.open(relay.h1, `${REST_PATH}/receive`),
    await SocketClient.open(relay.h1, REST_PATH),
  ]
  const slow = rest(relay.h1, 'POST', REST_PATH, '{', { 'content-length': 100 })
  await moment()
  clock.advance(999)
  clock.advance(1)
  for (const call of [...silent, halfway]) {
    const { code, message } = await call.ended
    assert.deepEqual([code, message], [4, 'no message came in time'])
  }
  for (const socket of sockets) assert.match(await socket.nextText(), /"code":4/)
  assert.equal((await slow).status, 504)
})

test('a node that waits for its client keeps the stream that it will answer on', async (t) => {
  const clock = new ManualClock()
  const { relay, session } = await openBothFaces(t, {
    clock,
    messageTimeoutMs: 1000,
    wsPingIntervalMs: 0,
  })
  const { id, reader } = await openBox(session)
  const call = new GrpcCallClient(session, 'SendStream')
  const socket = await SocketClient.open(relay.h1, REST_SEND_PATH)
  await moment()
  clock.advance(600_000)
  await call.send(encodeCipherBox(id, Buffer.from('by gRPC')))
  assert.equal((await reader.nextMsg()).toString(), 'by gRPC')
  call.cancel()
  socket.send(id, Buffer.from('by WebSocket'))
  assert.equal((await reader.nextMsg()).toString(), 'by WebSocket')
})

/** What a figure is once it has stopped to change. */
async function settled(read: () => Promise<number>): Promise<number> {
  let last = -1
  for (let same = 0; same < 5;) {
    const now = await read()
    same = now === last ? same + 1 : 0
    last = now
    await moment()
  }
  return last
}
