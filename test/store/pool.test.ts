import assert from 'node:assert/strict'
import test from 'node:test'
import { freshFile, withStore } from './folder.ts'
import { newInvoice, newToken } from './rows.ts'

test('the invoice that expires first but lives long enough is taken', async () => {
  await withStore(async ({ invoices }) => {
    await invoices.add([30, 10, 20].map((expiresAtMs) => newInvoice({ expiresAtMs })))
    assert.equal(invoices.take('a', 10_000n, 15)?.expiresAtMs, 20)
    assert.equal(invoices.take('a', 10_000n, 0)?.expiresAtMs, 10)
    assert.equal(invoices.take('a', 10_000n, 31), undefined)
    assert.equal(invoices.take('a', 10_000n, 30)?.expiresAtMs, 30)
    assert.equal(invoices.take('a', 10_000n, 0), undefined)
  })
})

test('nodes and prices are apart', async () => {
  await withStore(async ({ invoices }) => {
    await invoices.add([newInvoice(), newInvoice({ node: 'b' }), newInvoice({ amountMsat: 1n })])
    assert.equal(invoices.take('b', 1n, 0), undefined)
    assert.equal(invoices.take('b', 10_000n, 0)?.node, 'b')
    assert.deepEqual(invoices.counts(), [
      { node: 'a', amountMsat: 10_000n, count: 1 },
      { node: 'a', amountMsat: 1n, count: 1 },
    ])
  })
})

test('the same invoice is kept once', async () => {
  await withStore(async ({ invoices }) => {
    const invoice = newInvoice()
    await Promise.all([invoices.add([invoice, invoice]), invoices.add([invoice])])
    assert.deepEqual(invoices.counts(), [{ node: 'a', amountMsat: 10_000n, count: 1 }])
  })
})

test('expired invoices and those of a dropped price are forgotten, on disk too', async () => {
  const file = freshFile()
  const check = (counts: unknown) =>
    assert.deepEqual(counts, [{ node: 'a', amountMsat: 10_000n, count: 1 }])
  await withStore(
    async ({ invoices }) => {
      await invoices.add([
        newInvoice({ expiresAtMs: 9 }),
        newInvoice({ expiresAtMs: 10 }),
        newInvoice({ node: 'b', expiresAtMs: 9 }),
        newInvoice({ amountMsat: 5n }),
      ])
      invoices.pruneExpired(10)
      assert.equal(invoices.drop('a', 5n), 1)
      assert.equal(invoices.drop('c', 5n), 0)
      check(invoices.counts())
    },
    {},
    file,
  )
  await withStore(async ({ invoices }) => check(invoices.counts()), {}, file)
})

test('an invoice that was taken and not sold is back after a restart, and not before', async () => {
  const file = freshFile()
  const invoice = newInvoice()
  await withStore(
    async ({ invoices }) => {
      await invoices.add([invoice])
      assert.ok(invoices.take('a', 10_000n, 0))
      assert.equal(invoices.take('a', 10_000n, 0), undefined)
    },
    {},
    file,
  )
  await withStore(async ({ invoices }) => assert.ok(invoices.take('a', 10_000n, 0)), {}, file)
})

test('two hubs on one file cannot sell the same invoice', async () => {
  const file = freshFile()
  const invoice = newInvoice()
  await withStore(async ({ invoices }) => invoices.add([invoice]), {}, file)
  await withStore(
    (one) =>
      withStore(
        async (two) => {
          const { paymentHash } = invoice
          assert.ok(one.invoices.take('a', 10_000n, 0))
          assert.ok(two.invoices.take('a', 10_000n, 0))
          const sales = [one, two].map(({ tokens }) => tokens.add(newToken({ paymentHash })))
          const outcomes = await Promise.allSettled(sales)
          assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
          assert.equal(two.invoices.take('a', 10_000n, 0), undefined)
        },
        {},
        file,
      ),
    {},
    file,
  )
})
