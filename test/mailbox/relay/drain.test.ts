import assert from 'node:assert/strict'
import test from 'node:test'
import { REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { encodeCipherBox } from '../../../mailbox/hashmail/proto.ts'
import {
  connectGrpc,
  createBox,
  freshId,
  GrpcCallClient,
  grpcReader,
  RestReader,
  SocketClient,
  startBothFaces,
} from './harness.ts'
import { moment } from '../../moment.ts'

test('closing tells every client in order to come back', async () => {
  const relay = await startBothFaces()
  const session = connectGrpc(relay.h2)
  const ids = [freshId(), freshId(), freshId(), freshId()] as const
  for (const id of ids) await createBox(session, id)

  const reader = await grpcReader(session, ids[0])
  const writer = new GrpcCallClient(session, 'SendStream')
  await writer.send(encodeCipherBox(ids[0], Buffer.from('x')))
  await reader.nextMsg()
  const unnamed = new GrpcCallClient(session, 'SendStream')
  unnamed.stream.write('')
  const socketReader = await SocketClient.reader(relay.h1, ids[1])
  const socketWriter = await SocketClient.open(relay.h1, REST_SEND_PATH)
  socketWriter.send(ids[1], Buffer.from('y'))
  assert.equal((await socketReader.nextMsg()).toString(), 'y')
  const restReader = new RestReader(relay.h1, ids[2])
  await moment()
  const feeder = new GrpcCallClient(session, 'SendStream')
  await feeder.send(encodeCipherBox(ids[2], Buffer.from('z')))
  await restReader.nextMsg()
  // One that waits for room is told as well.
  const stuck = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 20; n++) void stuck.send(encodeCipherBox(ids[3], Buffer.alloc(32_768)))

  await moment()

  const closing = relay.close()
  const unavailable = { code: 14, message: 'the relay is shutting down' }
  assert.deepEqual(await reader.ended, { ...unavailable, trailersOnly: false })
  for (const call of [writer, unnamed, feeder, stuck]) {
    assert.deepEqual(await call.ended, { ...unavailable, trailersOnly: true })
  }
  for (const socket of [socketReader, socketWriter]) {
    assert.deepEqual(await socket.closed, { code: 1001, reason: unavailable.message })
  }
  assert.match(await restReader.nextText(), /^\{"error":\{"code":14,/)
  await closing
  session.destroy()
})
