/** Faults of Aperture that must not come back here, by the names under which they are known. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import { REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { encodeCipherBox, encodeCipherBoxAuth } from '../../../mailbox/hashmail/proto.ts'
import {
  connectGrpc,
  freshId,
  GrpcCallClient,
  grpcReader,
  SocketClient,
  startRelay,
  unary,
  until,
} from './harness.ts'
import { newBox, openBothFaces, openBox, openGrpcFace } from './open-box.ts'
import { moment } from '../../moment.ts'

test('W3: a SendStream whose first message has no desc ends that call, not the process', async (t) => {
  const { relay, session } = await openBothFaces(t)
  const messages: readonly [Uint8Array, string][] = [
    [new Uint8Array(0), 'cipher box descriptor required'],
    [new Uint8Array([0x12, 1, 1]), 'cipher box descriptor required'],
    [new Uint8Array([0x0a, 0, 0x12, 1, 1]), 'stream_id required'],
  ]
  for (const [message, text] of messages) {
    const call = new GrpcCallClient(session, 'SendStream')
    void call.send(message)
    assert.deepEqual(await call.ended, { code: 2, message: text, trailersOnly: true })
  }
  for (const [text, reason] of [
    ['{"msg":"AQ=="}', 'cipher box descriptor required'],
    ['{}', 'cipher box descriptor required'],
    ['{"desc":{}}', 'stream_id required'],
    ['{"desc":null}', 'cipher box descriptor required'],
  ] as const) {
    const socket = await SocketClient.open(relay.h1, REST_SEND_PATH)
    socket.socket.send(text)
    assert.equal(await socket.nextText(), `{"code":2,"message":"${reason}","details":[]}`)
  }
  await newBox(session)
})

test('W16: messages of 4093 bytes modulo 4096 are neither held back nor merged', async (t) => {
  const { session } = await openGrpcFace(t)
  const { id, reader, writer } = await openBox(session)
  for (const size of [4093, 8189, 12_285, 61_437]) {
    const message = Buffer.alloc(size, size & 0xff)
    await writer.send(encodeCipherBox(id, message))
    assert.ok((await reader.nextMsg()).equals(message), 'comes without another behind it')
    await writer.send(encodeCipherBox(id, Buffer.from('next')))
    assert.equal((await reader.nextMsg()).toString(), 'next')
  }
})

test('W16: a stuck writer frees its end when it leaves, and nobody else waits for it', async (t) => {
  // Time stands still: a claim is not refused, and who waited for one would wait for ever.
  const { session } = await openGrpcFace(t, { clock: new ManualClock() })
  const id = await newBox(session)
  const stuck = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 100; n++) void stuck.send(encodeCipherBox(id, Buffer.alloc(32_768, n)))
  const claims = new GrpcCallClient(session, 'SendStream')
  await moment()
  void claims.send(encodeCipherBox(id, Buffer.from('mine')))
  await moment()
  await newBox(session)
  assert.equal((await unary(session, 'DelCipherBox', encodeCipherBoxAuth(freshId()))).code, 2)
  stuck.cancel()
  const reader = await grpcReader(session, id)
  let last = ''
  for (let n = 0; n < 200 && last !== 'mine'; n++) last = (await reader.nextMsg()).toString()
  assert.equal(last, 'mine', 'the waiting writer got the end')
})

test('W17: streams outlive any read or write timeout of requests', async (t) => {
  const clock = new ManualClock()
  const { session } = await openBothFaces(t, { clock })
  const { id, reader, writer } = await openBox(session)
  void writer.send(encodeCipherBox(id, Buffer.from('first')))
  await reader.nextMsg()
  clock.advance(24 * 3_600_000)
  void writer.send(encodeCipherBox(id, Buffer.from('a day later')))
  assert.equal((await reader.nextMsg()).toString(), 'a day later')
})

test('a message handed to a reader that is just leaving goes to the next one', async (t) => {
  const relay = await startRelay('http2')
  const session = connectGrpc(relay.port)
  const slow = connectGrpc(relay.port)
  t.after(async () => {
    session.destroy()
    slow.destroy()
    await relay.close()
  })
  const id = await newBox(session)
  // A reader that takes nothing: HTTP/2 stops at its window of 65,535 bytes, the rest is in flight.
  const leaving = await grpcReader(slow, id)
  leaving.stream.pause()
  const writer = new GrpcCallClient(session, 'SendStream')
  const sent = Array.from({ length: 40 }, (_, n) => Buffer.alloc(32_768, n))
  for (const message of sent) void writer.send(encodeCipherBox(id, message))
  await until(() => writer.stream.writableLength > 0, 'the writer waits')
  slow.destroy()
  const reader = await grpcReader(session, id)
  const first = await reader.nextMsg()
  const from = first[0] ?? 99
  assert.ok(from <= 2, `lost up to message ${from}`)
  for (let n = from + 1; n < sent.length; n++) {
    assert.ok((await reader.nextMsg()).equals(sent[n] ?? Buffer.alloc(0)), `message ${n}`)
  }
})
