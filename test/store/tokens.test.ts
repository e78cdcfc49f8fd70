import assert from 'node:assert/strict'
import test from 'node:test'
import { isPinholeError } from '../../src/base/errors.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { openStore } from '../../src/store/store.ts'
import { freshFile, plain, withStore } from './folder.ts'
import { hash, newInvoice, newToken } from './rows.ts'

test('a token that was added is there, also after the file was opened again', async () => {
  const token = newToken()
  const file = freshFile()
  await withStore(
    async ({ tokens }) => {
      await tokens.add(token)
      assert.deepEqual(plain(tokens.rootKey(token.identifierHash)), token.rootKey)
      assert.equal(tokens.rootKey(hash()), undefined)
    },
    {},
    file,
  )
  await withStore(
    async ({ tokens, transactions }) => {
      assert.deepEqual(plain(tokens.rootKey(token.identifierHash)), token.rootKey)
      const [row, more] = transactions.list()
      assert.equal(more, undefined)
      assert.deepEqual(plain(row?.tokenId), token.tokenId)
      assert.deepEqual(plain(row?.paymentHash), token.paymentHash)
      assert.equal(row?.state, 'pending')
      assert.equal(row.authType, 'l402')
      assert.equal(row.priceMsat, 10_000n)
      assert.equal(row.createdAtMs, 1_000)
      assert.equal(row.valid, true)
    },
    {},
    file,
  )
})

test('a price beyond 2^53 millisatoshis is kept to the last one', async () => {
  await withStore(async ({ tokens, transactions }) => {
    const token = newToken({ priceMsat: 10_000_000_000_000_001n })
    await tokens.add(token)
    assert.equal(transactions.list()[0]?.priceMsat, token.priceMsat)
    assert.equal(tokens.priceMsat?.(token.identifierHash), token.priceMsat)
    assert.equal(tokens.priceMsat?.(hash()), undefined)
  })
})

test('bytes may change once add was called', async () => {
  await withStore(async ({ tokens }) => {
    const token = newToken()
    const rootKey = token.rootKey.slice()
    const adding = tokens.add(token)
    token.rootKey.fill(0)
    await adding
    assert.deepEqual(plain(tokens.rootKey(token.identifierHash)), rootKey)
  })
})

test('a token that is refused leaves the others of its commit alone', async () => {
  await withStore(async ({ tokens, transactions }) => {
    const first = newToken()
    const twin = newToken({ paymentHash: first.paymentHash })
    const third = newToken()
    const [a, b, c] = await Promise.allSettled(
      [first, twin, third].map((token) => tokens.add(token)),
    )
    assert.equal(a?.status, 'fulfilled')
    assert.ok(b?.status === 'rejected' && isPinholeError(b.reason, 'ERR_STORE_OPEN'))
    assert.equal(c?.status, 'fulfilled')
    assert.equal(tokens.rootKey(twin.identifierHash), undefined, 'half of it was kept')
    assert.equal(transactions.count(), 2)
  })
})

test('a shown preimage settles the transaction once', async () => {
  const clock = new ManualClock(5_000)
  const file = freshFile()
  const token = newToken()
  const store = openStore(file, { clock })
  await store.tokens.add(token)
  store.tokens.paid(token.identifierHash)
  clock.advance(10)
  store.tokens.paid(token.identifierHash)
  store.tokens.paid(hash())
  await store.close()
  await withStore(
    async ({ tokens, transactions }) => {
      tokens.paid(token.identifierHash)
      const [row] = transactions.list({ state: 'settled' })
      assert.equal(row?.settledAtMs, 5_000)
    },
    { clock },
    file,
  )
})

test('revoking deletes the root key, tells the listeners and keeps the transaction', async () => {
  await withStore(async ({ tokens, transactions }) => {
    const token = newToken()
    await tokens.add(token)
    const heard: (Uint8Array | undefined)[] = []
    const stop = tokens.onRevoked((identifierHash) => {
      assert.equal(tokens.rootKey(identifierHash), undefined, 'told before it was so')
      heard.push(identifierHash)
    })
    assert.equal(await tokens.revoke(token.identifierHash), true)
    assert.deepEqual(heard, [token.identifierHash])
    assert.equal(await tokens.revoke(token.identifierHash), false)
    stop()
    await tokens.revoke(token.identifierHash)
    assert.equal(heard.length, 2)
    assert.equal(transactions.list()[0]?.valid, false)
  })
})

test('once closed, nothing is taken any more', async () => {
  const store = openStore(freshFile())
  const token = newToken()
  const adding = store.tokens.add(token)
  await store.close()
  await adding
  await assert.rejects(store.tokens.add(newToken()), (reason) =>
    isPinholeError(reason, 'ERR_STORE_OPEN'),
  )
  store.tokens.paid(token.identifierHash)
})

test('an invoice is taken from the pool for good by the token that is sold with it', async () => {
  const file = freshFile()
  const kept = newInvoice({ expiresAtMs: 2 })
  const sold = newInvoice({ expiresAtMs: 1 })
  await withStore(
    async ({ tokens, invoices }) => {
      await invoices.add([kept, sold])
      assert.equal(invoices.take('a', 10_000n, 0)?.expiresAtMs, 1)
      await tokens.add(newToken({ paymentHash: sold.paymentHash }))
      assert.equal(invoices.take('a', 10_000n, 0)?.expiresAtMs, 2)
      await invoices.add([sold])
      assert.equal(invoices.take('a', 10_000n, 0), undefined, 'a sold invoice came back')
    },
    {},
    file,
  )
  await withStore(
    async ({ invoices }) => {
      assert.deepEqual(plain(invoices.take('a', 10_000n, 0)?.paymentHash), kept.paymentHash)
      assert.equal(invoices.take('a', 10_000n, 0), undefined)
    },
    {},
    file,
  )
})
