import assert from 'node:assert/strict'
import test from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { freshFile, withStore } from './folder.ts'
import { hash, newToken } from './rows.ts'

/** Three sales of "weather" and one of "maps"; the second and the last are paid, at 20 and 40. */
async function fill({ tokens, transactions }: Store) {
  const sales = [
    newToken({ createdAtMs: 1 }),
    newToken({ createdAtMs: 2 }),
    newToken({ createdAtMs: 4 }),
    newToken({ createdAtMs: 3, service: 'maps', priceMsat: 5n }),
  ] as const
  await Promise.all(sales.map((token) => tokens.add(token)))
  assert.equal(transactions.settle(sales[1].paymentHash, 20), true)
  assert.equal(transactions.settle(sales[3].paymentHash, 40), true)
  // Asked after them, so done after them.
  await tokens.revoke(hash())
  return sales
}

test('a settlement is news once, and known at once', async () => {
  const file = freshFile()
  const token = newToken()
  await withStore(
    async ({ tokens, transactions }) => {
      await tokens.add(token)
      assert.equal(transactions.isSettled(token.paymentHash), false)
      assert.equal(transactions.settle(token.paymentHash, 7), true)
      assert.equal(transactions.settle(token.paymentHash, 8), false)
      assert.equal(transactions.isSettled(token.paymentHash), true)
      assert.equal(transactions.settle(hash(), 7), false)
      assert.equal(transactions.isSettled(hash()), false)
    },
    {},
    file,
  )
  await withStore(
    async ({ transactions }) => {
      assert.equal(transactions.settle(token.paymentHash, 9), false)
      assert.equal(transactions.isSettled(token.paymentHash), true)
      assert.equal(transactions.list()[0]?.settledAtMs, 7)
    },
    {},
    file,
  )
})

test('the list is newest first and filtered', async () => {
  await withStore(async (store) => {
    const [, second] = await fill(store)
    const { transactions } = store
    const times = (...query: Parameters<typeof transactions.list>) =>
      transactions.list(...query).map(({ createdAtMs }) => createdAtMs)
    assert.deepEqual(times(), [4, 3, 2, 1])
    assert.deepEqual(times({}, { limit: 2, offset: 1 }), [3, 2])
    assert.deepEqual(times({ service: 'weather' }), [4, 2, 1])
    assert.deepEqual(times({ state: 'settled' }), [3, 2])
    assert.deepEqual(times({ state: 'pending', service: 'maps' }), [])
    assert.deepEqual(times({ tokenId: second.tokenId }), [2])
    assert.deepEqual(times({ settledFromMs: 20, settledToMs: 39 }), [2])
    assert.deepEqual(times({ settledFromMs: 21 }), [3])
    assert.deepEqual(times({ authType: 'mpp_charge' }), [])
    assert.equal(transactions.count(), 4)
    assert.equal(transactions.count({ state: 'settled' }), 2)
    for (const page of [{ limit: 0 }, { limit: 1_001 }, { limit: 1.5 }, { offset: -1 }]) {
      assert.throws(() => transactions.list({}, page), TypeError)
    }
  })
})

test('revenue counts what was settled', async () => {
  await withStore(async (store) => {
    await fill(store)
    const earned = (span: { fromMs?: number; toMs?: number } = {}) => {
      const { fromMs, toMs } = span
      const within = fromMs === undefined || toMs === undefined ? {} : { fromMs, toMs }
      return [...store.transactions.revenue({ ...within, real: true })].flat()
    }
    assert.deepEqual(earned(), [
      { service: 'maps', count: 1, msat: 5n },
      { service: 'weather', count: 1, msat: 10_000n },
    ])
    assert.deepEqual(earned({ fromMs: 30, toMs: 1_000 }), [{ service: 'maps', count: 1, msat: 5n }])
  })
})

test('old unpaid offers go with their root keys; paid and young ones stay', async () => {
  await withStore(async (store) => {
    const [first, second, third, maps] = await fill(store)
    assert.equal(await store.transactions.pruneUnpaid(4), 1)
    assert.equal(store.tokens.rootKey(first.identifierHash), undefined)
    for (const kept of [second, third, maps]) assert.ok(store.tokens.rootKey(kept.identifierHash))
    assert.equal(store.transactions.count(), 3)
  })
})

test('a token that is paid in the very turn of the prune stays', async () => {
  await withStore(async ({ tokens, transactions }) => {
    const token = newToken({ createdAtMs: 1 })
    await tokens.add(token)
    tokens.paid(token.identifierHash)
    assert.equal(await transactions.pruneUnpaid(1_000), 0)
    assert.ok(tokens.rootKey(token.identifierHash))
  })
})

test('a long prune goes on until nothing is left', async () => {
  await withStore(async ({ tokens, transactions }) => {
    await Promise.all(Array.from({ length: 1_201 }, () => tokens.add(newToken())))
    assert.equal(await transactions.pruneUnpaid(2_000), 1_201)
    assert.equal(transactions.count(), 0)
  })
})
