import assert from 'node:assert/strict'
import test from 'node:test'
import { frameMessage, MessageReader } from '../../../mailbox/rpc/messages.ts'
import { ByteQueue } from '../../../mailbox/noise/byte-queue.ts'
import { concat } from '../../../src/base/bytes.ts'
import fc from '../../fast-check.ts'

test('messages come out whole however they are cut, and keep nothing of what they came in', () => {
  const given = fc.tuple(
    fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
  )
  fc.assert(
    fc.property(given, ([messages, cuts]) => {
      const sent = concat(...messages.map(frameMessage))
      const reader = new MessageReader(1000)
      const found: Uint8Array[] = []
      for (let at = 0, n = 0; at < sent.length; n++) {
        const end = Math.min(sent.length, at + (cuts[n % cuts.length] ?? 1))
        const piece = sent.slice(at, end)
        found.push(...reader.read(piece))
        piece.fill(0xff)
        at = end
      }
      assert.deepEqual(found, messages)
      assert.equal(reader.partial, false)
    }),
  )
})

test('a byte of a record does not keep the message that it came in', () => {
  const queue = new ByteQueue()
  for (let n = 0; n < 3; n++) {
    const message = new Uint8Array(65_536).fill(n + 1)
    queue.push(message.subarray(5, 6))
    message.fill(0)
  }
  assert.deepEqual(queue.take(3), Uint8Array.of(1, 2, 3))
})
