import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import http from 'node:http'
import test from 'node:test'
import * as json from '../../../mailbox/hashmail/json.ts'
import { REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { encodeCipherBox } from '../../../mailbox/hashmail/proto.ts'
import { GrpcCallClient, grpcReader, RestReader, SocketClient } from './harness.ts'
import { newBox, openBothFaces } from './open-box.ts'

/** 1 byte to 4 MiB, with the sizes that Aperture loses (m ≡ 4093 mod 4096) and their neighbours. */
const SIZES = [
  ...[0, 1, 2, 125, 126, 127, 252, 253, 254, 255, 256],
  ...[4092, 4093, 4094, 4096, 8189, 12_285, 16_384, 28_669, 32_768, 65_533, 65_535, 65_536],
  ...[102_400, 262_141, 1_048_576, 4_194_304],
]

function messageOf(size: number, salt: number): Buffer {
  const seed = createHash('sha256').update(`${size}/${salt}`).digest()
  return Buffer.alloc(size, seed)
}

interface Sender {
  send(msg: Uint8Array): void
  close(): void
}
interface Receiver {
  nextMsg(): Promise<Buffer>
  close(): void
}

test('every size on every pair of faces, whole and in order', async (t) => {
  const { relay, session } = await openBothFaces(t)

  const senders: Record<string, (id: Buffer) => Promise<Sender>> = {
    grpc: async (id) => {
      const call = new GrpcCallClient(session, 'SendStream')
      return {
        send: (msg) => void call.send(encodeCipherBox(id, msg)),
        close: () => call.cancel(),
      }
    },
    websocket: async (id) => {
      const client = await SocketClient.open(relay.h1, REST_SEND_PATH)
      return { send: (msg) => client.send(id, msg), close: () => client.socket.close() }
    },
    rest: async (id) => {
      const { h1: port } = relay
      const host = '127.0.0.1'
      const options = { port, host, method: 'POST', path: REST_SEND_PATH, agent: false }
      const request = http.request(options)
      request.on('error', () => {})
      return {
        send: (msg) => void request.write(`${json.formatCipherBox(id, msg)}\n`),
        close: () => void request.destroy(),
      }
    },
  }
  const receivers: Record<string, (id: Buffer) => Promise<Receiver>> = {
    grpc: async (id) => {
      const call = await grpcReader(session, id)
      return { nextMsg: () => call.nextMsg(), close: () => call.cancel() }
    },
    websocket: async (id) => {
      const client = await SocketClient.reader(relay.h1, id)
      return { nextMsg: () => client.nextMsg(), close: () => client.socket.close() }
    },
    rest: async (id) => new RestReader(relay.h1, id),
  }

  for (const [from, openSender] of Object.entries(senders)) {
    for (const [to, openReceiver] of Object.entries(receivers)) {
      await t.test(`${from} to ${to}`, async () => {
        const id = await newBox(session)
        const sender = await openSender(id)
        const receiver = await openReceiver(id)
        // Each size twice in a row: what is wrong with the first shows in the second.
        const messages = SIZES.flatMap((size) => [messageOf(size, 1), messageOf(size, 2)])
        for (const message of messages) sender.send(message)
        for (const message of messages) {
          const received = await receiver.nextMsg()
          assert.equal(received.length, message.length)
          assert.ok(received.equals(message), `content of ${message.length} bytes`)
        }
        sender.close()
        receiver.close()
      })
    }
  }
})
