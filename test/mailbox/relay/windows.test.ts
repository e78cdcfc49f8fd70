import assert from 'node:assert/strict'
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

const KIB = 1024

test('a sender that moves gets a larger window, smaller again the more there are', async (t) => {
  const relay = await startRelay('http2', {
    maxMessageBytes: 64 * KIB,
    maxBufferedBytes: 4096 * KIB,
    maxBufferedBytesPerAddress: 4096 * KIB,
  })
  const session = connectGrpc(relay.port)
  t.after(async () => {
    session.destroy()
    await relay.close()
  })
  const window = (): number => session.remoteSettings?.initialWindowSize ?? 0
  const id = freshId()
  await createBox(session, id)
  const writer = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 20; n++) void writer.send(encodeCipherBox(id, Buffer.alloc(32 * KIB, n)))
  await until(() => writer.stream.writableLength > 0, 'it waits')
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.ok(window() <= 65_535, 'who does not move keeps the small one')
  const reader = await grpcReader(session, id)
  for (let n = 0; n < 20; n++) assert.equal((await reader.nextMsg())[0], n)
  await until(() => window() === 1024 * KIB, 'the large window')

  const others = Array.from({ length: 7 }, () => {
    const call = new GrpcCallClient(session, 'SendStream')
    call.stream.write('')
    return call
  })
  await until(() => window() === 256 * KIB, 'an eighth of half the buffers')
  for (const call of others) call.cancel()
  await until(() => window() === 1024 * KIB, 'the large window again')
  writer.cancel()
  reader.cancel()
})
