import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import { encodeCipherBox } from '../../../mailbox/hashmail/proto.ts'
import {
  connectGrpc,
  createBox,
  freshId,
  GrpcCallClient,
  grpcReader,
  startRelay,
  until,
} from './harness.ts'
import { newBox, openGrpcFace } from './open-box.ts'
import { moment } from '../../moment.ts'

const KIB = 1024
const LARGE_BYTES = 2 * KIB * KIB

test('a sender that moves gets a larger window, smaller again the more there are', async (t) => {
  const { session } = await openGrpcFace(t, {
    maxMessageBytes: 64 * KIB,
    maxBufferedBytes: 4096 * KIB,
    maxBufferedBytesPerAddress: 4096 * KIB,
  })
  const window = (): number => session.remoteSettings?.initialWindowSize ?? 0
  const id = await newBox(session)
  const writer = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 20; n++) void writer.send(encodeCipherBox(id, Buffer.alloc(32 * KIB, n)))
  await until(() => writer.stream.writableLength > 0, 'it waits')
  await moment()
  assert.ok(window() <= 65_535, 'who does not move keeps the small one')
  const reader = await grpcReader(session, id)
  for (let n = 0; n < 20; n++) assert.equal((await reader.nextMsg())[0], n)
  await until(() => window() === LARGE_BYTES, 'the large window')

  const others = Array.from({ length: 7 }, () => {
    const call = new GrpcCallClient(session, 'SendStream')
    call.stream.write('')
    return call
  })
  await until(() => window() === 256 * KIB, 'an eighth of half the buffers')
  for (const call of others) call.cancel()
  await until(() => window() === LARGE_BYTES, 'the large window again')
  writer.cancel()
  reader.cancel()
})

test('senders who come and go do not end the session of one who is far away', async (t) => {
  const relay = await startRelay('http2', {
    maxMessageBytes: 64 * KIB,
    maxBufferedBytes: 4096 * KIB,
    maxBufferedBytesPerAddress: 4096 * KIB,
  })
  const downstream: net.Socket[] = []
  const proxy = net.createServer((client) => {
    const upstream = net.connect(relay.port, '127.0.0.1')
    client.on('error', () => {}).on('close', () => upstream.destroy())
    upstream.on('error', () => {}).on('close', () => client.destroy())
    client.pipe(upstream).pipe(client)
    downstream.push(upstream)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as net.AddressInfo
  const far = connectGrpc(port)
  const near = connectGrpc(relay.port)
  t.after(async () => {
    for (const session of [far, near]) session.destroy()
    await relay.close()
    await new Promise((resolve) => proxy.close(resolve))
  })
  const id = freshId()
  await createBox(far, id)
  const writer = new GrpcCallClient(far, 'SendStream')
  const reader = await grpcReader(far, id)
  for (let n = 0; n < 20; n++) void writer.send(encodeCipherBox(id, Buffer.alloc(32 * KIB, n)))
  for (let n = 0; n < 20; n++) assert.equal((await reader.nextMsg())[0], n)
  await until(() => far.remoteSettings.initialWindowSize === LARGE_BYTES, 'the large window')

  for (const socket of downstream) socket.pause()
  for (let round = 0; round < 12; round++) {
    const others = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const other = freshId()
        await createBox(near, other)
        const call = new GrpcCallClient(near, 'SendStream')
        void call.send(encodeCipherBox(other, Buffer.alloc(1)))
        const read = await grpcReader(near, other)
        await read.nextMsg()
        return [call, read]
      }),
    )
    for (const call of others.flat()) call.cancel()
  }
  for (const socket of downstream) socket.resume()
  void writer.send(encodeCipherBox(id, Buffer.from('still there')))
  assert.equal((await reader.nextMsg()).toString(), 'still there')
  await until(() => far.remoteSettings.initialWindowSize === LARGE_BYTES, 'the last word')
  writer.cancel()
  reader.cancel()
})
