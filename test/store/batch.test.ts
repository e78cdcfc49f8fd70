import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { prepareBatches } from '../../src/store/batch.ts'
import { openDatabase } from '../../src/store/database.ts'
import { isRefusal, sqliteCode, storeError } from '../../src/store/failure.ts'
import type { Write } from '../../src/store/write.ts'
import { freshFile } from './folder.ts'
import { newInvoice, newToken } from './rows.ts'

const sell = (): Write => ({ name: 'sell', token: newToken() })

test('on a full disk nothing of a batch is kept, and all of it once there is room again', () => {
  const database = openDatabase(freshFile())
  const write = prepareBatches(database)
  const count = database.prepare('select count(*) from secrets').pluck()
  const full = Number(database.pragma('page_count', { simple: true })) + 4
  database.pragma(`max_page_count = ${full}`)
  const batch = Array.from({ length: 500 }, sell)
  assert.throws(
    () => write(batch),
    (reason) => {
      assert.equal(sqliteCode(reason), 'SQLITE_FULL')
      assert.equal(isRefusal(reason), false)
      const error = storeError('pinhole.db', reason)
      assert.equal(error.code, 'ERR_STORE_OPEN')
      assert.equal(error.message, 'the database pinhole.db: the disk is full')
      return true
    },
  )
  assert.equal(count.get(), 0)
  assert.equal(database.inTransaction, false)
  database.pragma(`max_page_count = ${2 ** 30}`)
  assert.ok(write(batch).every(({ name }) => name === 'done'))
  assert.equal(count.get(), 500)
  assert.equal(database.pragma('integrity_check', { simple: true }), 'ok')
  database.close()
})

test('what cannot be stored is refused alone', () => {
  const database = openDatabase(freshFile())
  const write = prepareBatches(database)
  const outcomes = write([
    { name: 'pool', invoice: newInvoice({ amountMsat: 2n ** 63n }) },
    { name: 'pool', invoice: newInvoice({ paymentHash: new Uint8Array(31) }) },
    { name: 'pool', invoice: newInvoice() },
  ])
  assert.deepEqual(
    outcomes.map(({ name }) => name),
    ['refused', 'refused', 'done'],
  )
  database.close()
})

test('deleted keys are overwritten in the file', () => {
  const file = freshFile()
  const database = openDatabase(file)
  const write = prepareBatches(database)
  const token = newToken()
  const held = () =>
    [file, `${file}-wal`].some((part) => readFileSync(part).includes(Buffer.from(token.rootKey)))
  write([{ name: 'sell', token }])
  assert.ok(held(), 'the test looks in the wrong place')
  write([{ name: 'revoke', identifierHash: token.identifierHash }])
  database.pragma('wal_checkpoint(TRUNCATE)')
  assert.equal(held(), false)
  database.close()
})
