import assert from 'node:assert/strict'
import test from 'node:test'

import { concat, toHex, utf8 } from '../../../src/base/bytes.ts'
import { browserCrypto } from '../../../mailbox/crypto/browser.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { mask, unmask } from '../../../mailbox/noise/spake2.ts'
import { bytes, knownAnswers } from '../known-answers.ts'

interface Spake2 {
  constants: { N: string; N_derivation: { i: number; candidate_x: string; on_curve: boolean }[] }
  cases: {
    entropy?: string
    stretched_key: string
    ephemeral_priv: string
    ephemeral_pub: string
    masked_pub: string
  }[]
}

const { constants, cases } = knownAnswers<Spake2>('spake2.json')
const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'

for (const [at, entry] of cases.entries()) {
  test(`masks and unmasks, case ${at}`, () => {
    const e = bytes(entry.ephemeral_pub)
    const pw = bytes(entry.stretched_key)
    for (const crypto of [nodeCrypto, browserCrypto]) {
      assert.deepEqual(crypto.publicKey(bytes(entry.ephemeral_priv)), e)
      assert.equal(toHex(mask(e, pw, crypto) ?? e), entry.masked_pub)
      assert.deepEqual(unmask(bytes(entry.masked_pub), pw, crypto), e)
    }
  })
}

test('N is the first x-coordinate among the hashes of LNC §5', () => {
  for (const { i, candidate_x, on_curve } of constants.N_derivation) {
    const count = new Uint8Array(8)
    count[7] = i
    const x = nodeCrypto.sha256(concat(count, utf8('Lightning Node Connect')))
    assert.equal(toHex(x), candidate_x)
    assert.equal(nodeCrypto.isPublicKey(concat(Uint8Array.of(2), x)), on_curve)
    if (on_curve) assert.equal(`02${toHex(x)}`, constants.N)
  }
})

test('the mask is taken modulo the group order, and zero masks nothing', () => {
  const e = bytes(constants.N)
  const one = bytes('00'.repeat(31) + '01')
  const orderPlusOne = bytes(ORDER.slice(0, -2) + '42')
  assert.deepEqual(mask(e, one, nodeCrypto), mask(e, orderPlusOne, nodeCrypto))
  for (const zero of [new Uint8Array(32), bytes(ORDER)]) {
    assert.deepEqual(mask(e, zero, nodeCrypto), e)
    assert.deepEqual(unmask(e, zero, nodeCrypto), e)
  }
})

test('a sum at infinity is no key', () => {
  const one = bytes('00'.repeat(31) + '01')
  assert.equal(unmask(bytes(constants.N), one, nodeCrypto), undefined)
  assert.equal(mask(bytes(`03${constants.N.slice(2)}`), one, nodeCrypto), undefined)
})
