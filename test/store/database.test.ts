import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import Sqlite from 'better-sqlite3'
import { isPinholeError } from '../../src/base/errors.ts'
import { openDatabase } from '../../src/store/database.ts'
import { SCHEMA_VERSION } from '../../src/store/migrations.ts'
import { storeError } from '../../src/store/failure.ts'
import { openStore } from '../../src/store/store.ts'
import { freshFile, withStore } from './folder.ts'
import { newToken } from './rows.ts'

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)

function foreignFile(schema: string): string {
  const file = freshFile()
  mkdirSync(path.dirname(file), { recursive: true })
  const database = new Sqlite(file)
  database.exec(schema)
  database.close()
  return file
}

test('the file, its log and its index are for the owner alone, and so is a folder made for it', async () => {
  await withStore(async (store, file) => {
    await store.tokens.add(newToken())
    assert.equal(mode(path.dirname(file)), '700')
    for (const suffix of ['', '-wal', '-shm']) assert.equal(mode(file + suffix), '600', suffix)
  })
})

test('a file that others could read is closed to them', () => {
  const file = freshFile()
  openDatabase(file).close()
  chmodSync(file, 0o644)
  openDatabase(file).close()
  assert.equal(mode(file), '600')
})

test('every commit reaches the disk', () => {
  const database = openDatabase(freshFile())
  const pragma = (name: string) => database.pragma(name, { simple: true })
  assert.equal(pragma('journal_mode'), 'wal')
  assert.equal(pragma('synchronous'), 2)
  assert.equal(pragma('foreign_keys'), 1)
  assert.equal(pragma('busy_timeout'), 10_000)
  assert.equal(pragma('secure_delete'), 1)
  database.close()
})

test('a new file gets the newest schema, an up-to-date one is left as it is', () => {
  const file = freshFile()
  openDatabase(file).close()
  const database = openDatabase(file, true)
  assert.equal(database.pragma('user_version', { simple: true }), SCHEMA_VERSION)
  assert.equal(database.pragma('integrity_check', { simple: true }), 'ok')
  database.close()
})

test('skipMigrations refuses a file that would need one', () => {
  assert.throws(
    () => openDatabase(freshFile(), true),
    (reason) => isPinholeError(reason, 'ERR_STORE_SCHEMA') && /older/.test(reason.message),
  )
})

test('a newer schema is refused and left alone', () => {
  const file = freshFile()
  const database = openDatabase(file)
  database.pragma(`user_version = ${SCHEMA_VERSION + 1}`)
  database.close()
  assert.throws(
    () => openStore(file),
    (reason) => isPinholeError(reason, 'ERR_STORE_SCHEMA') && /newer/.test(reason.message),
  )
  const again = new Sqlite(file)
  assert.equal(again.pragma('user_version', { simple: true }), SCHEMA_VERSION + 1)
  again.close()
})

test("another program's database is refused, Aperture's with the way to bring it over", () => {
  const other = foreignFile('create table songs (title text)')
  assert.throws(
    () => openStore(other),
    (reason) =>
      isPinholeError(reason, 'ERR_STORE_SCHEMA') && /another program/.test(reason.message),
  )
  const database = new Sqlite(other)
  assert.equal(database.pragma('journal_mode', { simple: true }), 'delete', 'it was changed')
  database.close()
  const aperture = foreignFile(
    'create table schema_migrations (version uint64, dirty bool); create table secrets (hash blob)',
  )
  assert.throws(
    () => openStore(aperture),
    (reason) => isPinholeError(reason, 'ERR_STORE_SCHEMA') && /pinhole import/.test(reason.message),
  )
})

test('a binding that npm was not allowed to fetch is told in one line', () => {
  const missing = new Error('Could not locate the bindings file. Tried:\n → /a/better_sqlite3.node')
  const { code, message } = storeError('pinhole.db', missing)
  assert.equal(code, 'ERR_STORE_OPEN')
  assert.match(message, /^the database pinhole\.db: .*--allow-scripts=better-sqlite3$/)
})

test('what is no database cannot be opened', () => {
  const file = freshFile()
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, 'shopping list\n'.repeat(1_000))
  const refused = (reason: unknown) =>
    isPinholeError(reason, 'ERR_STORE_OPEN') && /no SQLite database/.test(reason.message)
  assert.throws(() => openStore(file), refused)
  assert.throws(
    () => openStore(path.join(file, 'below.db')),
    (reason) => isPinholeError(reason, 'ERR_STORE_OPEN'),
  )
})
