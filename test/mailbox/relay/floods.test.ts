/** Crowds and floods: everything is refused or served, and what was taken is given back. */
import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import { REST_PATH, REST_RECEIVE_PATH, REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { encodeCipherBox, encodeCipherBoxAuth } from '../../../mailbox/hashmail/proto.ts'
import {
  connectGrpc,
  createBox,
  freshId,
  GrpcCallClient,
  grpcReader,
  SocketClient,
  startBothFaces,
} from './harness.ts'
import { RelayClientMeter } from './meter.ts'
import { newBox } from './open-box.ts'

type Relay = Awaited<ReturnType<typeof startBothFaces>>

async function withRelay(
  run: (relay: Relay, meter: RelayClientMeter) => Promise<void>,
): Promise<void> {
  const meter = new RelayClientMeter()
  const relay = await startBothFaces({ registry: meter.registry })
  try {
    await run(relay, meter)
    await empty(meter)
    const session = connectGrpc(relay.h2)
    await newBox(session) // it lives
    session.destroy()
  } finally {
    await relay.close()
  }
}

async function empty(meter: RelayClientMeter): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const faces = ['grpc', 'websocket', 'rest'] as const
    const counts = await Promise.all([
      ...faces.map((face) => meter.value('pinhole_relay_streams', { face })),
      meter.value('pinhole_relay_buffered_bytes'),
    ])
    if (counts.every((count) => count === 0)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail('something is still open or held')
}

test('a thousand connections that open and drop', async () => {
  await withRelay(async (relay) => {
    const starts = [
      '',
      'GET / HTTP/1.1\r\n',
      `POST ${REST_SEND_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"desc"`,
      `POST ${REST_RECEIVE_PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
      `GET ${REST_RECEIVE_PATH}?method=POST HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ` +
        'websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    ]
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          openAndDrop(relay.h1, starts[n % starts.length] ?? ''),
        ),
      )
    }
  })
})

function openAndDrop(port: number, start: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(start, () => socket.resetAndDestroy())
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve())
  })
}

test('streams that are reset as soon as they are open', async () => {
  await withRelay(async (relay) => {
    const id = freshId()
    const maker = connectGrpc(relay.h2)
    await createBox(maker, id)
    maker.destroy()
    for (let round = 0; round < 20; round++) {
      const session = connectGrpc(relay.h2)
      const calls = Array.from({ length: 50 }, (_, n) => {
        const call = new GrpcCallClient(session, n % 2 === 0 ? 'SendStream' : 'RecvStream')
        void call.send(encodeCipherBox(id, Buffer.alloc(100)))
        call.cancel()
        return call.ended
      })
      await Promise.all(calls)
      session.destroy()
    }
    // What was sent before its stream was reset lies in the box.
    const cleaner = connectGrpc(relay.h2)
    const deletion = new GrpcCallClient(cleaner, 'DelCipherBox')
    await deletion.send(encodeCipherBoxAuth(id))
    await deletion.ended
    cleaner.destroy()
  })
})

test('readers and writers whose connections break in the middle of a transfer', async () => {
  await withRelay(async (relay) => {
    for (let round = 0; round < 10; round++) {
      const id = freshId()
      const [a, b] = [connectGrpc(relay.h2), connectGrpc(relay.h2)]
      await createBox(a, id)
      const reader = await grpcReader(b, id)
      const writer = new GrpcCallClient(a, 'SendStream')
      for (let n = 0; n < 60; n++) void writer.send(encodeCipherBox(id, Buffer.alloc(32_768)))
      await reader.nextMsg()
      if (round % 2 === 0) a.socket?.resetAndDestroy()
      else b.socket?.resetAndDestroy()
      await new Promise((resolve) => setTimeout(resolve, 5))
      a.destroy()
      b.destroy()
      const cleaner = connectGrpc(relay.h2)
      const rest = await grpcReader(cleaner, id)
      const deletion = new GrpcCallClient(cleaner, 'DelCipherBox')
      await deletion.send(encodeCipherBoxAuth(id))
      await rest.ended
      cleaner.destroy()
    }
  })
})

test('a flood of WebSocket pings is answered or ends with its sender', async () => {
  await withRelay(async (relay) => {
    const client = await SocketClient.open(relay.h1, REST_SEND_PATH)
    for (let n = 0; n < 5000; n++) client.socket.ping('x'.repeat(125))
    const pong = new Promise((resolve) => client.socket.once('pong', resolve))
    await pong
    client.socket.terminate()
    await client.closed
  })
})

test('a body of many small chunks costs no more than its bytes', async () => {
  await withRelay(async (relay) => {
    const socket = net.connect(relay.h1, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`POST ${REST_PATH}/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = `1\r\n{\r\n${'1\r\n"\r\n1\r\na\r\n'.repeat(1)}`
    socket.write(chunk)
    const many = '1\r\na\r\n'.repeat(10_000)
    const before = process.memoryUsage().arrayBuffers
    for (let n = 0; n < 30; n++) await new Promise((resolve) => socket.write(many, resolve))
    const held = process.memoryUsage().arrayBuffers - before
    assert.ok(held < 32 * 1024 * 1024, `${held} bytes held for 300,000`)
    socket.destroy()
  })
})
