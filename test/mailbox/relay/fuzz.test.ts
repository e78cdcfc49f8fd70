/**
 * Anything at all over the three faces: the relay answers or refuses, and afterwards nothing is left of it
 * and a message still passes. Bounded; `FUZZ_RUNS` makes it longer.
 */
import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { grpcFrame } from '../../../mailbox/hashmail/grpc-frame.ts'
import * as json from '../../../mailbox/hashmail/json.ts'
import { REST_PATH, REST_RECEIVE_PATH, REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import * as proto from '../../../mailbox/hashmail/proto.ts'
import { createBox, freshId, GrpcCallClient, grpcReader } from './harness.ts'
import { RelayClientMeter } from './meter.ts'
import { openBothFaces } from './open-box.ts'

const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 150) }
const METHODS = ['NewCipherBox', 'DelCipherBox', 'SendStream', 'RecvStream', 'Other'] as const
const PATHS = [REST_PATH, REST_SEND_PATH, REST_RECEIVE_PATH] as const

const id = freshId()
const box = proto.encodeCipherBox(id, Buffer.from('message'))
const valid = [
  Buffer.from(grpcFrame(box)),
  Buffer.from(grpcFrame(proto.encodeCipherBoxDesc(id))),
  Buffer.from(grpcFrame(proto.encodeCipherBoxAuth(id))),
]
const texts = [
  json.formatCipherBox(id, Buffer.from('message')),
  json.formatCipherBoxDesc(id),
  json.formatCipherBoxAuth(id),
].map((text) => Buffer.from(text))

/** A valid message with a few bytes changed, cut or doubled, or noise. */
function damaged(messages: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const change = fc.tuple(fc.nat(), fc.nat(255))
  const bent = fc
    .tuple(fc.constantFrom(...messages), fc.array(change, { maxLength: 4 }), fc.nat(), fc.nat(3))
    .map(([message, changes, cut, times]) => {
      const copy = Buffer.from(message)
      for (const [at, byte] of changes) copy[at % copy.length] = byte
      const part = times === 0 ? copy.subarray(0, cut % (copy.length + 1)) : copy
      return Buffer.concat(Array<Buffer>(Math.max(1, times)).fill(part))
    })
  return fc.oneof(
    bent,
    bent,
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  )
}

test('fuzz', async (t) => {
  const meter = new RelayClientMeter()
  const { relay, session } = await openBothFaces(t, {
    registry: meter.registry,
    messageTimeoutMs: 5000,
  })

  /** After each part: nothing is open, nothing is held, and a message passes. */
  async function stillWell(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const open = await Promise.all(
        (['grpc', 'websocket', 'rest'] as const).map((face) =>
          meter.value('pinhole_relay_streams', { face }),
        ),
      )
      if (open.every((count) => count === 0)) break
      if (tries > 200) assert.fail(`still open: ${open.join()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const own = freshId()
    await createBox(session, own)
    const reader = await grpcReader(session, own)
    const writer = new GrpcCallClient(session, 'SendStream')
    await writer.send(proto.encodeCipherBox(own, Buffer.from('well')))
    assert.equal((await reader.nextMsg()).toString(), 'well')
    const gone = Promise.all([reader.ended, writer.ended])
    reader.cancel()
    writer.cancel()
    await gone
  }

  await t.test('gRPC bodies', async () => {
    const body = fc.array(damaged(valid), { maxLength: 3 })
    const property = fc.asyncProperty(
      fc.constantFrom(...METHODS),
      body,
      fc.boolean(),
      async (method, parts, end) => {
        const call = new GrpcCallClient(session, method)
        for (const part of parts) call.stream.write(part)
        if (end) call.stream.end()
        await Promise.race([call.ended, new Promise((resolve) => setTimeout(resolve, 5))])
        call.cancel()
        await call.ended
      },
    )
    await fc.assert(property, RUNS)
    await stillWell()
  })

  await t.test('WebSocket frames', async () => {
    const frame = fc
      .tuple(damaged(texts), fc.nat(255), fc.boolean())
      .map(([payload, first, sane]) => {
        const head = [sane ? 0x81 : first, 0x80 | Math.min(payload.length, 125), 0, 0, 0, 0]
        const long = [
          sane ? 0x81 : first,
          0xfe,
          payload.length >> 8,
          payload.length & 255,
          0,
          0,
          0,
          0,
        ]
        return Buffer.concat([Buffer.from(payload.length > 125 ? long : head), payload])
      })
    const property = fc.asyncProperty(
      fc.constantFrom(...PATHS),
      fc.array(frame, { maxLength: 3 }),
      async (path, frames) => {
        await raw(relay.h1, Buffer.concat([Buffer.from(upgrade(path)), ...frames]))
      },
    )
    await fc.assert(property, RUNS)
    await stillWell()
  })

  await t.test('REST requests', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom('POST', 'DELETE', 'OPTIONS', 'GET'),
      fc.constantFrom(
        ...PATHS,
        `${REST_PATH}?desc.stream_id=%ff`,
        `${REST_PATH}?desc.stream_id=AQ==`,
      ),
      fc.array(damaged(texts), { maxLength: 3 }),
      async (method, path, parts) => {
        const body = Buffer.concat(parts)
        const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`
        await raw(relay.h1, Buffer.concat([Buffer.from(head), body]))
      },
    )
    await fc.assert(property, RUNS)
    await stillWell()
  })
})

function upgrade(path: string): string {
  return (
    `GET ${path}?method=POST HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  )
}

/** Sends `bytes` on a connection of its own, waits for an answer or a moment, and cuts it. */
function raw(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('error', () => {})
    socket.once('close', () => resolve())
    socket.once('data', () => setTimeout(() => socket.destroy(), 2))
    setTimeout(() => socket.destroy(), 10)
  })
}
