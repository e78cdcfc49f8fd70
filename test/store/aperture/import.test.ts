import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { systemClock } from '../../../src/base/clock.ts'
import { isPinholeError } from '../../../src/base/errors.ts'
import { importAperture, type ImportOptions } from '../../../src/store/aperture/import.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { freshFile, plain, withStore } from '../folder.ts'
import { newToken } from '../rows.ts'
import { addSecret, CREATED_MS, filled, makeAperture, SETTLED_MS } from './fixture.ts'

const run = (source: string, target: string, options: Partial<ImportOptions> = {}) =>
  importAperture(source, target, { clock: systemClock, ...options })

const importError = (text: RegExp) => (reason: unknown) =>
  isPinholeError(reason, 'ERR_STORE_IMPORT') && text.test(reason.message)

const NOTHING = {
  secrets: 0,
  transactions: 0,
  services: 0,
  lncSessions: 0,
  onionKeys: 0,
  present: 0,
  skipped: 0,
  openMppSessions: 0,
  open: false,
}
const WHOLE = { secrets: 3, transactions: 3, services: 1, lncSessions: 1, onionKeys: 1 }

/** A closed Aperture of v0.5.0. */
function closedAperture(version: 3 | 7 = 7): string {
  const { file, database } = makeAperture(version)
  database.close()
  return file
}

test('everything of an Aperture v0.5.0 comes over', async () => {
  const target = freshFile()
  assert.deepEqual(run(closedAperture(), target), { ...NOTHING, ...WHOLE, openMppSessions: 1 })
  await withStore(
    async ({ tokens, transactions, imported }) => {
      for (const at of [1, 2, 3])
        assert.deepEqual(plain(tokens.rootKey(filled(10 + at))), filled(at))
      const [charge, pending, settled] = transactions.list()
      assert.deepEqual(plain(settled?.tokenId), filled(21))
      assert.deepEqual(plain(settled?.paymentHash), filled(31))
      assert.deepEqual(plain(settled?.identifierHash), filled(11))
      assert.equal(settled?.priceMsat, 5_000n)
      assert.equal(settled.createdAtMs, CREATED_MS)
      assert.equal(settled.settledAtMs, SETTLED_MS)
      assert.equal(settled.imported, true)
      assert.equal(settled.valid, true)
      assert.equal(pending?.state, 'pending')
      assert.equal(charge?.authType, 'mpp_charge')
      assert.equal(charge.tokenId, undefined)
      assert.deepEqual(imported.services(), [
        {
          name: 'maps',
          address: 'localhost:1',
          protocol: 'https',
          hostRegexp: '^maps$',
          pathRegexp: '^/v1',
          priceSat: 9n,
          auth: 'on',
          authScheme: 'l402+mpp',
        },
      ])
      assert.equal(Buffer.from(imported.onionKey() ?? []).toString(), 'ED25519-V3:key')
    },
    {},
    target,
  )
})

test('its LNC session waits until it has become a node, then its keys are gone', async () => {
  const source = closedAperture()
  const target = freshFile()
  run(source, target)
  await withStore(
    async ({ imported }) => {
      const [session] = imported.lncSessions()
      assert.ok(session)
      assert.equal(session.phrase.split(' ').length, 10)
      assert.deepEqual(plain(session.localKey), filled(9))
      assert.deepEqual(plain(session.remoteKey), filled(2, 33))
      assert.equal(session.mailbox, 'box:443')
      assert.equal(session.insecureTls, true)
      assert.equal(session.expiresAtMs, undefined)
      assert.deepEqual(
        plain(session.id),
        plain(createHash('sha256').update(filled(7, 14)).digest()),
      )
      assert.equal(await imported.adopted(session.id), true)
      assert.deepEqual(imported.lncSessions(), [])
    },
    {},
    target,
  )
  assert.equal(readFileSync(target).includes(Buffer.from(filled(9))), false)
  assert.equal(run(source, target).lncSessions, 0)
})

test('an Aperture of three migrations has just keys', () => {
  assert.deepEqual(run(closedAperture(3), freshFile()), {
    ...NOTHING,
    secrets: 3,
    lncSessions: 1,
    onionKeys: 1,
  })
})

test('a second run brings nothing, and later what is new', async () => {
  const { file, database } = makeAperture()
  const target = freshFile()
  run(file, target)
  assert.deepEqual(run(file, target), { ...NOTHING, present: 9, openMppSessions: 1, open: true })
  addSecret(database, 14, 4)
  database.exec(
    "update l402_transactions set state = 'settled', settled_at = '2024-03-01 10:21:00 +0000 UTC'",
  )
  const { secrets, transactions } = run(file, target)
  assert.deepEqual({ secrets, transactions }, { secrets: 1, transactions: 1 })
  database.close()
  await withStore(
    async (store) => {
      assert.equal(store.transactions.count({ state: 'settled' }), 3)
      assert.ok(store.tokens.rootKey(filled(14)))
    },
    {},
    target,
  )
})

test('what was sold or revoked here stays as it is', async () => {
  const source = closedAperture()
  const target = freshFile()
  const token = newToken()
  await withStore(async ({ tokens }) => tokens.add(token), {}, target)
  run(source, target)
  await withStore(
    async ({ tokens }) => assert.equal(await tokens.revoke(filled(11)), true),
    {},
    target,
  )
  assert.equal(run(source, target).secrets, 0)
  await withStore(
    async ({ tokens }) => {
      assert.equal(tokens.rootKey(filled(11)), undefined)
      assert.ok(tokens.rootKey(token.identifierHash))
    },
    {},
    target,
  )
})

test('imported transactions outlive every prune, for Aperture may have left paid ones pending', async () => {
  const target = freshFile()
  run(closedAperture(), target)
  await withStore(
    async ({ tokens, transactions }) => {
      assert.equal(await transactions.pruneUnpaid(Date.now()), 0)
      assert.ok(tokens.rootKey(filled(12)))
    },
    {},
    target,
  )
})

test('a dry run counts the same and writes nothing, not even a file', () => {
  const source = closedAperture()
  const target = freshFile()
  const counts = run(source, target, { dryRun: true })
  assert.equal(existsSync(target), false)
  assert.deepEqual(run(source, target), counts)
  const before = readFileSync(target)
  assert.equal(run(source, target, { dryRun: true }).present, 9)
  assert.deepEqual(readFileSync(target), before)
})

test('the file of an Aperture that was killed is read with its log, and left as it is', () => {
  const { file, database } = makeAperture()
  const killed = path.join(path.dirname(file), 'killed.db')
  for (const part of ['', '-wal']) copyFileSync(file + part, killed + part)
  database.close()
  const parts = () => readdirSync(path.dirname(file)).filter((name) => name.startsWith('killed'))
  const bytes = () => parts().map((name) => readFileSync(path.join(path.dirname(file), name)))
  const before = bytes()
  const { secrets, open } = run(killed, freshFile())
  assert.deepEqual({ secrets, open }, { secrets: 3, open: true })
  assert.deepEqual(parts(), ['killed.db', 'killed.db-wal'])
  assert.deepEqual(bytes(), before)
})

test('an Aperture that is in the middle of a sale is read as of its last commit', () => {
  const { file, database } = makeAperture()
  database.exec('begin immediate')
  addSecret(database, 14, 4)
  assert.equal(run(file, freshFile()).secrets, 3)
  database.exec('commit')
  database.close()
})

test('an Aperture that writes while its file is copied is refused', () => {
  const { file, database } = makeAperture()
  const target = freshFile()
  const copy = (from: string, to: string) => {
    copyFileSync(from, to)
    if (from === file) addSecret(database, 14, 4)
  }
  assert.throws(() => run(file, target, { copy }), importError(/still runs/))
  assert.equal(existsSync(target), false)
  database.close()
})

test('a wrong file is named, and nothing is left of the copy', (t) => {
  const target = freshFile()
  const temporary = mkdtempSync(path.join(os.tmpdir(), 'pinhole-store-'))
  const usual = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary
  t.after(() => {
    rmdirSync(temporary)
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
  })
  const folder = path.dirname(closedAperture())
  const text = path.join(folder, 'text')
  writeFileSync(text, 'shopping list\n'.repeat(1_000))
  assert.throws(() => run(text, target), importError(/no SQLite database/))
  assert.throws(() => run(path.join(folder, 'none'), target), importError(/does not exist/))
  assert.throws(() => run(folder, target), importError(/cannot be read/))
  const ours = freshFile()
  openDatabase(ours).close()
  assert.throws(() => run(ours, target), importError(/not the database of an Aperture/))
  const { file, database } = makeAperture()
  database.exec('alter table l402_transactions rename column price_sats to price')
  database.close()
  assert.throws(() => run(file, target), importError(/no column price_sats/))
  assert.equal(existsSync(target), false)
  assert.deepEqual(readdirSync(temporary), [])
})

test("Aperture's own file cannot be the target", () => {
  const source = closedAperture()
  assert.throws(
    () => run(source, source),
    (reason) => isPinholeError(reason, 'ERR_STORE_SCHEMA'),
  )
})

test('rows that no Aperture writes are counted and left', () => {
  const { file, database } = makeAperture(3)
  database
    .prepare('insert into secrets (hash, secret, created_at) values (?, ?, ?)')
    .run(filled(15, 31), filled(5), 'never')
  database.close()
  const { secrets, skipped } = run(file, freshFile())
  assert.deepEqual({ secrets, skipped }, { secrets: 3, skipped: 1 })
})
