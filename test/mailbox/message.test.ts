import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { decodePacket } from '../../mailbox/gbn/packet.ts'
import { decodeMessage, encodeMessage, messageLink } from '../../mailbox/message.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import vectors from '../vectors/lnc/msgdata.json' with { type: 'json' }
import { memoryLinkPair } from './memory-link.ts'

const bytes = (hex: string) => fromHex(hex) ?? assert.fail(`not hex: ${hex}`)

for (const { name, version, payload, encoded, as_gbn_data_seq0 } of vectors.cases.encode) {
  test(`encode ${name}`, () => {
    if (payload === '') {
      assert.throws(() => encodeMessage(bytes(payload)), TypeError)
      return
    }
    const frame = encodeMessage(bytes(payload))
    assert.equal(toHex(frame), encoded.replace(/^../, '00'), `version ${version} is not sent`)
    assert.equal(toHex(decodeMessage(bytes(encoded))), payload)
    const packet = decodePacket(bytes(as_gbn_data_seq0))
    assert.ok(packet.type === 'data' && toHex(packet.payload) === encoded)
  })
}

for (const { name, input, result } of vectors.cases.decode) {
  test(`decode ${name}`, () => {
    const [, payload] = /payload=([0-9a-f]*)$/.exec(result) ?? []
    if (payload) assert.equal(toHex(decodeMessage(bytes(input))), payload)
    // Go takes an empty payload as the end of the stream; both are a broken frame here.
    else assert.throws(() => decodeMessage(bytes(input)), { code: 'ERR_MESSAGE_FRAME' })
  })
}

test('any bytes are a payload within them or a coded error', () => {
  const framed = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 40 }))
    .map(([length, rest]) => Uint8Array.of(0, 0, 0, 0, length, ...rest))
  const property = fc.property(fc.oneof(fc.uint8Array({ maxLength: 20 }), framed), (input) => {
    try {
      const payload = decodeMessage(input)
      assert.ok(payload.length > 0)
      assert.deepEqual(payload, input.subarray(5, 5 + payload.length))
      assert.equal(payload.buffer, input.buffer, 'no memory of its own')
    } catch (reason) {
      assert.ok(reason instanceof PinholeError && reason.code === 'ERR_MESSAGE_FRAME')
    }
  })
  fc.assert(property, { numRuns: 10_000 })
})

test('any payload comes back', () => {
  const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (payload) => {
    assert.deepEqual(decodeMessage(encodeMessage(payload)), payload)
  })
  fc.assert(property, { numRuns: 1000 })
})

test('a link carries payloads, never an empty one, and ends with the link below', async () => {
  const [a, b] = memoryLinkPair()
  const [left, right] = [messageLink(a), messageLink(b)]
  await left.send(Uint8Array.of(1, 2, 3))
  assert.deepEqual(await right.receive(), Uint8Array.of(1, 2, 3))
  await assert.rejects(left.send(new Uint8Array(0)), TypeError)
  await a.send(Uint8Array.of(0, 0, 0, 0, 2, 1))
  await assert.rejects(right.receive(), { code: 'ERR_MESSAGE_FRAME' })
  await left.close()
  assert.equal(await right.receive(), undefined)
})
