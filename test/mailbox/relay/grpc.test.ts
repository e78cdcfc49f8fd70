import assert from 'node:assert/strict'
import test from 'node:test'
import { grpcTimeoutMs, percentEncode } from '../../../mailbox/relay/grpc-call.ts'
import {
  encodeCipherBox,
  encodeCipherBoxAuth,
  encodeDescField,
} from '../../../mailbox/hashmail/proto.ts'
import { grpcFrame } from '../../../mailbox/hashmail/grpc-frame.ts'
import { createBox, freshId, GrpcCallClient, grpcReader, unary } from './harness.ts'
import { newBox, openGrpcFace } from './open-box.ts'

test('gRPC face', async (t) => {
  const { session } = await openGrpcFace(t)

  await t.test('create: success is an empty submessage, a second one is refused', async () => {
    const id = freshId()
    const call = new GrpcCallClient(session, 'NewCipherBox')
    call.stream.end(grpcFrame(encodeCipherBoxAuth(id)))
    assert.deepEqual([...(await call.next())], [0x0a, 0])
    assert.equal((await call.ended).code, 0)
    assert.deepEqual(await unary(session, 'NewCipherBox', encodeCipherBoxAuth(id)), {
      code: 6,
      message: 'stream already active',
      trailersOnly: true,
    })
    assert.equal((await unary(session, 'DelCipherBox', encodeCipherBoxAuth(id))).code, 0)
    assert.deepEqual(await unary(session, 'DelCipherBox', encodeCipherBoxAuth(id)), {
      code: 2,
      message: 'stream not found',
      trailersOnly: true,
    })
  })

  await t.test('create: what is missing is named, in order', async () => {
    const requests: readonly [Uint8Array, string][] = [
      [new Uint8Array(0), 'cipher box descriptor required'],
      [new Uint8Array([0x12, 0]), 'cipher box descriptor required'],
      [new Uint8Array([0x0a, 0]), 'stream_id required'],
      [encodeDescField(freshId()), 'auth type required'],
    ]
    for (const [request, text] of requests) {
      for (const method of ['NewCipherBox', 'DelCipherBox'] as const) {
        const { code, message } = await unary(session, method, request)
        assert.deepEqual([code, message], [2, text])
      }
    }
  })

  await t.test('messages pass in order, with the desc that the reader gave', async () => {
    const id = await newBox(session)
    const writer = new GrpcCallClient(session, 'SendStream')
    await writer.send(encodeCipherBox(id, Buffer.from('one')))
    await writer.send(encodeCipherBox(freshId(), Buffer.from('two')))
    await writer.send(new Uint8Array([0x12, 1, 0x33])) // later messages need no desc
    await writer.send(encodeCipherBox(id, new Uint8Array(0)))
    const reader = await grpcReader(session, id)
    assert.deepEqual(
      Buffer.from(await reader.next()),
      Buffer.from(encodeCipherBox(id, Buffer.from('one'))),
    )
    assert.equal((await reader.nextMsg()).toString(), 'two')
    assert.equal((await reader.nextMsg()).toString(), '3')
    assert.equal((await reader.nextMsg()).length, 0)
    writer.stream.end()
    assert.deepEqual(await writer.ended, { code: 2, message: 'EOF', trailersOnly: true })
    reader.cancel()
  })

  await t.test('a writer that ends keeps its place until all it sent is in the box', async () => {
    const id = await newBox(session)
    const writer = new GrpcCallClient(session, 'SendStream')
    for (let n = 0; n < 20; n++) void writer.send(encodeCipherBox(id, Buffer.from([n])))
    writer.stream.end()
    const reader = await grpcReader(session, id)
    for (let n = 0; n < 20; n++) assert.deepEqual([...(await reader.nextMsg())], [n])
    assert.equal((await writer.ended).message, 'EOF')
    reader.cancel()
  })

  await t.test('missing and occupied ends', async () => {
    const id = freshId()
    const nobody = await grpcReader(session, id)
    assert.deepEqual(await nobody.ended, {
      code: 2,
      message: 'stream not found',
      trailersOnly: true,
    })
    const lost = new GrpcCallClient(session, 'SendStream')
    void lost.send(encodeCipherBox(id, Buffer.from('x')))
    assert.deepEqual(await lost.ended, { code: 2, message: 'stream not found', trailersOnly: true })

    await createBox(session, id)
    const reader = await grpcReader(session, id)
    const second = await grpcReader(session, id)
    assert.equal((await second.ended).message, 'read stream occupied')
    reader.cancel()
    const third = await grpcReader(session, id)
    await third.opened
    const writer = new GrpcCallClient(session, 'SendStream')
    await writer.send(encodeCipherBox(id, Buffer.from('x')))
    await third.nextMsg()
    const other = new GrpcCallClient(session, 'SendStream')
    await other.send(encodeCipherBox(id, Buffer.from('y')))
    assert.equal((await other.ended).message, 'write stream occupied')
    writer.cancel()
    third.cancel()
  })

  await t.test('deletion ends both ends', async () => {
    const id = await newBox(session)
    const reader = await grpcReader(session, id)
    const writer = new GrpcCallClient(session, 'SendStream')
    await writer.send(encodeCipherBox(id, Buffer.from('x')))
    await reader.nextMsg()
    assert.equal((await unary(session, 'DelCipherBox', encodeCipherBoxAuth(id))).code, 0)
    assert.deepEqual(await reader.ended, { code: 2, message: 'EOF', trailersOnly: false })
    assert.equal((await writer.ended).message, 'io: read/write on closed pipe')
  })

  await t.test('grpc-timeout ends a call', async () => {
    const id = await newBox(session)
    const reader = new GrpcCallClient(session, 'RecvStream', { 'grpc-timeout': '30m' })
    reader.stream.end(grpcFrame(new Uint8Array([0x0a, id.length, ...id])))
    const { code, message } = await reader.ended
    assert.deepEqual([code, message], [4, 'context deadline exceeded'])
  })

  await t.test('unknown methods, wrong content types and HTTP/1.1 are refused', async () => {
    assert.equal((await new GrpcCallClient(session, 'Nothing').ended).code, 12)
    const wrong = session.request({
      ':method': 'POST',
      ':path': '/hashmailrpc.HashMail/SendStream',
    })
    wrong.end()
    const status = await new Promise((resolve) =>
      wrong.once('response', (headers) => resolve(headers[':status'])),
    )
    assert.equal(status, 415)
  })

  await t.test('compressed and broken messages are refused', async () => {
    const call = new GrpcCallClient(session, 'SendStream')
    call.stream.write(Buffer.from([1, 0, 0, 0, 1, 0]))
    assert.equal((await call.ended).code, 12)
    const broken = new GrpcCallClient(session, 'SendStream')
    void broken.send(new Uint8Array([0x0a, 9]))
    const { code, message } = await broken.ended
    assert.equal(code, 13)
    assert.match(message, /cannot parse invalid wire-format data/)
  })
})

test('grpc-message is percent-encoded', () => {
  assert.equal(percentEncode('stream not found'), 'stream not found')
  assert.equal(percentEncode('100% ü\n'), '100%25 %C3%BC%0A')
  assert.equal(decodeURIComponent(percentEncode('a\ud83d\ude00b%')), 'a\ud83d\ude00b%')
})

test('grpc-timeout: units, and what is none', () => {
  const of = (value?: string): number | undefined => grpcTimeoutMs({ 'grpc-timeout': value })
  assert.deepEqual(
    ['1H', '2M', '3S', '4m', '5u', '6n'].map(of),
    [3_600_000, 120_000, 3000, 4, 0.005, 0.000006],
  )
  for (const value of [undefined, '', '1', 'S', '123456789S', '-1S', '1.5S', '1s']) {
    assert.equal(of(value), undefined, value)
  }
})
