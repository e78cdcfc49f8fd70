/** What a store does whose file is taken away, locked or damaged under it. */
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import Sqlite from 'better-sqlite3'
import { ManualClock } from '../../src/base/clock.ts'
import { openStore } from '../../src/store/store.ts'
import { freshFile, plain, withStore } from './folder.ts'
import { newInvoice, newToken } from './rows.ts'

const MOVED = { code: 'ERR_STORE_OPEN', message: /was removed or replaced while it was in use/ }

for (const { name, take } of [
  { name: 'was removed', take: (file: string) => rmSync(file) },
  { name: 'has lost its write-ahead log', take: (file: string) => rmSync(`${file}-wal`) },
  {
    name: 'was replaced',
    take(file: string) {
      copyFileSync(file, `${file}.copy`)
      renameSync(`${file}.copy`, file)
    },
  },
]) {
  test(`nothing is sold into a file that ${name}`, async () => {
    await withStore(async ({ tokens }, file) => {
      const sold = newToken()
      await tokens.add(sold)
      take(file)
      await assert.rejects(tokens.add(newToken()), MOVED)
      assert.deepEqual(
        plain(tokens.rootKey(sold.identifierHash)),
        sold.rootKey,
        'what was sold opens',
      )
    })
  })
}

test('sells again once its file is back, and asks for nothing in vain until then', async () => {
  const clock = new ManualClock()
  await withStore(
    async (store, file) => {
      const { tokens, invoices } = store
      const invoice = newInvoice()
      await invoices.add([invoice])
      assert.equal(tokens.ready?.(), true)
      renameSync(file, `${file}.away`)
      invoices.take('a', 10_000n, 0)
      await assert.rejects(tokens.add(newToken({ paymentHash: invoice.paymentHash })), MOVED)
      assert.deepEqual([store.failing, tokens.ready?.()], [true, false])
      clock.advance(1_000)
      assert.deepEqual(
        [tokens.ready?.(), tokens.ready?.()],
        [true, false],
        'one tries, once a second',
      )
      renameSync(`${file}.away`, file)
      clock.advance(1_000)
      assert.equal(tokens.ready?.(), true)
      assert.equal(invoices.take('a', 10_000n, 0)?.paymentRequest, invoice.paymentRequest)
      await tokens.add(newToken({ paymentHash: invoice.paymentHash }))
      assert.deepEqual([store.failing, tokens.ready?.()], [false, true])
    },
    { clock },
  )
})

test('a locked file keeps nobody waiting for more than five seconds', async () => {
  const clock = new ManualClock()
  await withStore(
    async (store, file) => {
      const { tokens } = store
      await tokens.add(newToken())
      const other = new Sqlite(file)
      other.exec('begin immediate')
      const late = newToken()
      const adding = tokens.add(late)
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(5_001)
      await assert.rejects(adding, { code: 'ERR_STORE_OPEN', message: /has taken nothing for 5 s/ })
      assert.deepEqual([store.failing, tokens.ready?.()], [true, false])
      other.exec('rollback')
      other.close()
      await tokens.add(newToken())
      assert.equal(store.failing, false)
    },
    { clock },
  )
})

test('a damaged file is named when it is opened', async () => {
  const file = freshFile()
  await withStore(async ({ invoices }) => invoices.add([newInvoice()]), {}, file)
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.fill(0xff, 4_096))
  assert.throws(() => openStore(file), {
    code: 'ERR_STORE_OPEN',
    message: /pinhole\.db: it is damaged/,
  })
})

test('what cannot be read later names the file, too', async () => {
  await withStore(async ({ nodes }, file) => {
    const other = new Sqlite(file)
    other.exec('drop table nodes')
    other.close()
    assert.throws(() => nodes.list(), { code: 'ERR_STORE_OPEN', message: /pinhole\.db: / })
  })
})
