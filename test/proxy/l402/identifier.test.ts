import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { decodeIdentifier, encodeIdentifier } from '../../../proxy/l402/identifier.ts'
import { hex, vectors } from './vectors.ts'

test("identifiers are Aperture's", () => {
  for (const { paymentHash, tokenId, identifier } of vectors.tokens) {
    const id = { paymentHash: hex(paymentHash), tokenId: hex(tokenId) }
    assert.equal(toHex(encodeIdentifier(id)), identifier)
    assert.deepEqual(decodeIdentifier(hex(identifier)), id)
  }
})

test('another length or version is none', () => {
  const good = hex(vectors.tokens[0]?.identifier ?? '')
  assert.equal(decodeIdentifier(good.subarray(1)), undefined)
  assert.equal(decodeIdentifier(Uint8Array.from([...good, 0])), undefined)
  assert.equal(decodeIdentifier(new Uint8Array()), undefined)
  for (const at of [0, 1]) {
    const version = Uint8Array.from(good)
    version[at] = 1
    assert.equal(decodeIdentifier(version), undefined)
  }
})

test('parts of another length are a mistake', () => {
  const paymentHash = new Uint8Array(32)
  assert.throws(() => encodeIdentifier({ paymentHash, tokenId: new Uint8Array(31) }), TypeError)
  assert.throws(
    () => encodeIdentifier({ paymentHash: new Uint8Array(33), tokenId: paymentHash }),
    TypeError,
  )
})

test('what was decoded does not change with the buffer it came from', () => {
  const buffer = hex(vectors.tokens[0]?.identifier ?? '')
  const id = decodeIdentifier(buffer)
  buffer.fill(0)
  assert.equal(toHex(id?.paymentHash ?? buffer), vectors.tokens[0]?.paymentHash)
})

test('any bytes are an identifier or none, and encode to themselves', () => {
  const near = fc.uint8Array({ minLength: 64, maxLength: 67 })
  const versioned = fc
    .uint8Array({ minLength: 64, maxLength: 64 })
    .map((b) => Uint8Array.from([0, 0, ...b]))
  fc.assert(
    fc.property(fc.oneof(near, versioned), (bytes) => {
      const id = decodeIdentifier(bytes)
      if (id) assert.deepEqual(encodeIdentifier(id), bytes)
      else assert.ok(bytes.length !== 66 || bytes[0] !== 0 || bytes[1] !== 0)
    }),
    { numRuns: 10_000 },
  )
})
