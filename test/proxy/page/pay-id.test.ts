import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { encodeIdentifier } from '../../../proxy/l402/identifier.ts'
import { payIdOf, readPayId } from '../../../proxy/page/pay-id.ts'

const bytes = (length: number) => Uint8Array.from(randomBytes(length))
const paymentHash = bytes(32)
const identifier = encodeIdentifier({ paymentHash, tokenId: bytes(32) })
const rootKey = bytes(32)
const { payId, identifierHash } = payIdOf(identifier, rootKey)

test('a pay id leads to its token while the root key is there', () => {
  assert.deepEqual(Buffer.from(identifierHash), createHash('sha256').update(identifier).digest())
  const asked: Uint8Array[] = []
  const read = readPayId(payId, (hash) => {
    asked.push(hash)
    return rootKey
  })
  assert.deepEqual(read, { identifierHash, paymentHash })
  assert.deepEqual(asked, [identifierHash])
  assert.equal(
    readPayId(payId, () => undefined),
    undefined,
  )
  assert.equal(
    readPayId(payId, () => bytes(32)),
    undefined,
  )
})

test('with any character changed it leads nowhere', () => {
  for (let i = 0; i < payId.length; i++) {
    const other = payId[i] === 'A' ? 'Q' : 'A'
    const bent = payId.slice(0, i) + other + payId.slice(i + 1)
    // The last character has bits that stand for nothing.
    if (Buffer.from(bent, 'base64url').equals(Buffer.from(payId, 'base64url'))) continue
    assert.equal(
      readPayId(bent, () => rootKey),
      undefined,
    )
  }
})

test('any other text leads nowhere', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String({ maxLength: 200 })), (text) => {
      assert.equal(
        readPayId(text, () => rootKey),
        undefined,
      )
    }),
    { numRuns: 10_000 },
  )
})
