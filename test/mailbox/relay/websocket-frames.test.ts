import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import {
  controlFrame,
  textFrame,
  unmask,
  WebSocketFrames,
  type ControlFrames,
} from '../../../mailbox/relay/websocket-frames.ts'

const MASK = 0x80
const NO_CONTROL: ControlFrames = { pinged() {}, ponged() {}, closed() {} }

interface Sent {
  readonly payload: Uint8Array
  readonly opcode: number
  readonly final: boolean
  readonly mask: readonly number[]
}

/** A frame as a client sends it. */
function clientFrame({ payload, opcode, final, mask }: Sent): Buffer {
  const { length } = payload
  const head =
    length < 126
      ? Buffer.from([length | MASK])
      : length < 65_536
        ? Buffer.from([126 | MASK, length >> 8, length & 255])
        : Buffer.from([
            127 | MASK,
            0,
            0,
            0,
            0,
            ...Buffer.from([0, length >> 16, length >> 8, length]),
          ])
  const masked = payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0))
  const first = Buffer.from([opcode | (final ? 0x80 : 0)])
  return Buffer.concat([first, head, Buffer.from(mask), masked])
}

const anyMask = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))

test('unmask: any bytes at any alignment', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), anyMask, (bytes, offset, mask) => {
      const memory = Buffer.alloc(offset + bytes.length)
      memory.set(bytes, offset)
      unmask(memory.subarray(offset), Buffer.from(mask).readUInt32LE())
      const expected = bytes.map((byte, i) => byte ^ (mask[i & 3] ?? 0))
      assert.deepEqual(memory.subarray(offset), Buffer.from(expected))
    }),
    { numRuns: 10_000 },
  )
})

test('messages come out whole however they are cut, with control frames between', () => {
  const message = fc.uint8Array({ maxLength: 400 })
  const pieces = fc.array(message, { minLength: 1, maxLength: 3 })
  const script = fc.array(fc.tuple(pieces, anyMask, fc.boolean()), { maxLength: 4 })
  fc.assert(
    fc.property(script, fc.array(fc.nat(60), { maxLength: 60 }), (messages, cuts) => {
      const frames: Buffer[] = []
      for (const [parts, mask, ping] of messages) {
        parts.forEach((payload, i) => {
          if (ping)
            frames.push(
              clientFrame({
                payload: parts[0]?.slice(0, 125) ?? payload,
                opcode: 9,
                final: true,
                mask,
              }),
            )
          const opcode = i === 0 ? 1 : 0
          frames.push(clientFrame({ payload, opcode, final: i === parts.length - 1, mask }))
        })
      }
      const stream = Buffer.concat(frames)
      let pings = 0
      const reader = new WebSocketFrames(10_000, { ...NO_CONTROL, pinged: () => pings++ })
      const found: Buffer[] = []
      let at = 0
      for (const cut of [...cuts, stream.length]) {
        reader.push(Buffer.from(stream.subarray(at, at + cut)))
        at = Math.min(stream.length, at + cut)
        for (let m = reader.take(); m instanceof Uint8Array; m = reader.take())
          found.push(Buffer.from(m))
      }
      assert.deepEqual(
        found,
        messages.map(([parts]) => Buffer.concat(parts)),
      )
      const expected = messages.reduce((sum, [parts, , ping]) => sum + (ping ? parts.length : 0), 0)
      assert.equal(pings, expected)
    }),
    { numRuns: 5000 },
  )
})

test('any bytes are frames, not yet frames, or refused; memory stays with what came', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 10 }), (chunks) => {
      const reader = new WebSocketFrames(1000, NO_CONTROL)
      for (const chunk of chunks) {
        reader.push(Uint8Array.from(chunk))
        let taken = reader.take()
        while (taken instanceof Uint8Array) {
          assert.ok(taken.length <= 1000)
          taken = reader.take()
        }
        if (taken) return
      }
    }),
    { numRuns: 10_000 },
  )
})

test('what a client must not send is refused', () => {
  const refused = (bytes: readonly number[]): string => {
    const reader = new WebSocketFrames(1000, NO_CONTROL)
    reader.push(Uint8Array.from(bytes))
    const taken = reader.take()
    return taken instanceof Error ? taken.message : 'accepted'
  }
  const broken = 'broken WebSocket frame'
  assert.equal(refused([0x81, 0x01, 0x41]), broken, 'not masked')
  assert.equal(refused([0xc1, 0x80, 0, 0, 0, 0]), broken, 'reserved bit')
  assert.equal(refused([0x83, 0x80, 0, 0, 0, 0]), broken, 'unknown opcode')
  assert.equal(refused([0x80, 0x80, 0, 0, 0, 0]), broken, 'continuation of nothing')
  assert.equal(refused([0x09, 0x80, 0, 0, 0, 0]), broken, 'ping in fragments')
  assert.equal(refused([0x89, 0xfe, 0, 126, 0, 0, 0, 0]), broken, 'long ping')
  const nested = [0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0]
  assert.equal(refused(nested), broken, 'a message within a message')
  assert.match(
    refused([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 3, 4]),
    /larger than max/,
  )
  assert.match(refused([0x81, 0xfe, 0x04, 0, 1, 2, 3, 4]), /\(1024 vs\. 1000\)/)
  const endless = Array.from({ length: 2000 }, (_, i) => [i === 0 ? 1 : 0, 0x80, 0, 0, 0, 0]).flat()
  assert.equal(refused(endless), broken, 'fragments without end')
})

test('what is written has the shortest header', () => {
  for (const [length, head] of [
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 255, 255]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ] as const) {
    const frame = textFrame('x'.repeat(length))
    assert.deepEqual([...frame.subarray(0, head.length)], [...head])
    assert.equal(frame.length, head.length + length)
  }
  assert.deepEqual([...controlFrame('ping', Buffer.from('hi'))], [0x89, 2, 0x68, 0x69])
})
