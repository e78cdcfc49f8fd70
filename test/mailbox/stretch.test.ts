import assert from 'node:assert/strict'
import test from 'node:test'

import { toHex } from '../../src/base/bytes.ts'
import { browserCrypto } from '../../mailbox/crypto/browser.ts'
import { nodeCrypto } from '../../mailbox/crypto/node.ts'
import { stretch } from '../../mailbox/stretch.ts'
import { bytes, knownAnswers } from './known-answers.ts'

interface Stretched {
  cases: { entropy: string; stretched_key: string }[]
}

const { cases } = knownAnswers<Stretched>('stretch.json')

for (const { entropy, stretched_key } of cases) {
  test(`stretches ${entropy}`, async () => {
    assert.equal(toHex(await stretch(bytes(entropy), nodeCrypto)), stretched_key)
  })
}

test('stretches the same in JavaScript', async () => {
  const [first] = cases
  assert.ok(first)
  assert.equal(toHex(await stretch(bytes(first.entropy), browserCrypto)), first.stretched_key)
})

test('the event loop turns while scrypt works', async () => {
  let turns = 0
  const turning = setInterval(() => turns++, 1)
  await stretch(new Uint8Array(14), nodeCrypto)
  clearInterval(turning)
  assert.ok(turns > 5, `${turns} turns`)
})

test('only canonical entropy is stretched', () => {
  assert.throws(() => stretch(bytes('00'.repeat(13) + '01'), nodeCrypto), TypeError)
  assert.throws(() => stretch(new Uint8Array(13), nodeCrypto), TypeError)
})
