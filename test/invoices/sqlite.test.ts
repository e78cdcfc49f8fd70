/** The pool on the real store: what was kept is given out after a restart, what was sold is not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openInvoices, type InvoiceParts } from '../../src/invoices.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { DEFAULTS } from './stage.ts'
import { VirtualNode, VirtualNodes } from './virtual-node.ts'

const PRICE = 1_000n

async function sell(store: Store, paymentHash: Uint8Array): Promise<void> {
  await store.tokens.add({
    identifierHash: randomBytes(32),
    rootKey: randomBytes(32),
    tokenId: randomBytes(32),
    paymentHash,
    service: 'joke',
    priceMsat: PRICE,
    createdAtMs: 0,
  })
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    assert.ok(turn < 2_000, 'it never came about')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

test('invoices outlive the process in SQLite, each given out once, and payments are settled', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pinhole-invoices-'))
  try {
    const file = path.join(folder, 'pinhole.db')
    const clock = new ManualClock()
    const node = new VirtualNode('alice', clock)
    const nodes = new VirtualNodes(node)
    const open = () => {
      const store = openStore(file)
      const { settleIndexes: indexes, transactions } = store
      const settle: InvoiceParts['settle'] = {
        load: (name) => indexes.load(name),
        save: (name, heard) => indexes.save(name, heard),
        settle: (hash, atMs) => transactions.settle(hash, atMs),
        isSettled: (hash) => transactions.isSettled(hash),
      }
      const pool = store.invoices
      const parts = { nodes, pool, settle, options: DEFAULTS, clock, log: silentLog }
      return { store, invoices: openInvoices(parts) }
    }
    const first = open()
    const seen = new Set<string>()
    const buy = async ({ store, invoices }: typeof first) => {
      const { paymentHash } = await invoices.invoice({ amountMsat: PRICE, node: undefined })
      await sell(store, paymentHash)
      assert.ok(!seen.has(toHex(paymentHash)))
      seen.add(toHex(paymentHash))
      return paymentHash
    }
    const ready = ({ invoices }: typeof first) => invoices.state[0]?.ready ?? 0
    await buy(first)
    await until(() => ready(first) >= 4)
    const hash = await buy(first)
    node.settle(hash)
    await until(() => first.store.transactions.isSettled(hash))
    await first.invoices.close()
    await first.store.close()

    node.state = 'away'
    const second = open()
    assert.ok(ready(second) >= 3)
    assert.equal(await second.invoices.settled(hash, 0), true)
    assert.equal(second.store.settleIndexes.load('alice').settleIndex, 1n)
    for (let left = ready(second); left > 0; left--) await buy(second)
    await assert.rejects(buy(second), { code: 'ERR_INVOICE_UNAVAILABLE' })
    await second.invoices.close()
    await second.store.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
