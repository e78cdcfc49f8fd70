import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from '../fast-check.ts'
import type { Pairing } from '../../mailbox/pairing/pairing.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { RowEditor } from '../../src/nodes/row-editor.ts'
import { openPairing, sealedStore } from '../../src/nodes/sealed-store.ts'
import { nodeSecret } from '../../src/nodes/secret.ts'
import type { NodeRow, NodeRows } from '../../src/store/node-rows.ts'
import { memoryRows } from './memory-rows.ts'

const PAIRING: Pairing = {
  mailbox: 'relay.example.com:443',
  localKey: new Uint8Array(32).fill(0xa7),
  remoteKey: new Uint8Array(33).fill(0x5c),
  phraseId: 'ab'.repeat(16),
  phrase: 'abandon ability able about above absent absorb abstract absurd abuse',
  expiresAtMs: 1_800_000_000_000,
}

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-nodes-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

function storeOf(rows: NodeRows, basedir: string, passphrase?: string, name = 'bob') {
  const secret = nodeSecret({ basedir, passphrase })
  const editor = new RowEditor(rows)
  const store = sealedStore({ editor, secret, name, insecureTls: true, clock: new ManualClock() })
  return { secret, store }
}

const rowOf = (rows: NodeRows, name = 'bob'): NodeRow => rows.get(name) ?? assert.fail('no row')

for (const passphrase of [undefined, 'correct horse']) {
  const by = passphrase === undefined ? 'the key file' : 'PINHOLE_SECRET'

  test(`a pairing sealed by ${by} comes back, and its row shows nothing of it`, async (t) => {
    const basedir = folder(t)
    const rows = memoryRows()
    const { store } = storeOf(rows, basedir, passphrase)
    assert.equal(await store.load(), undefined)
    await store.save(PAIRING)
    const later = storeOf(rows, basedir, passphrase)
    assert.deepEqual(await later.store.load(), PAIRING)
    assert.equal((await openPairing(rowOf(rows), later.secret)).insecureTls, true)
    const shown = toHex(rowOf(rows).sealed) + JSON.stringify(rowOf(rows))
    const hidden = [
      PAIRING.localKey,
      PAIRING.remoteKey ?? utf8('-'),
      utf8('abandon'),
      utf8('relay'),
    ]
    for (const bytes of hidden) {
      assert.ok(!shown.includes(toHex(bytes.subarray(0, 5))), toHex(bytes))
      // Keys are written as hex before they are sealed.
      assert.ok(!shown.includes(toHex(utf8(toHex(bytes).slice(0, 10)))), toHex(bytes))
    }
    assert.deepEqual(readdirSync(basedir), passphrase === undefined ? ['node.key'] : [])
  })
}

test('two saves of the same pairing have nothing in common but their head', async (t) => {
  const rows = memoryRows()
  const { store } = storeOf(rows, folder(t))
  await store.save(PAIRING)
  const first = rowOf(rows).sealed
  await store.save(PAIRING)
  const second = rowOf(rows).sealed
  assert.notDeepEqual(first.subarray(1, 13), second.subarray(1, 13))
  assert.notDeepEqual(first.subarray(13), second.subarray(13))
})

test('the key file is 32 random bytes for the owner alone, made once by whoever comes first', async (t) => {
  const basedir = path.join(folder(t), 'new')
  const secrets = Array.from({ length: 8 }, () => nodeSecret({ basedir }))
  const sealed = await Promise.all(secrets.map((secret, n) => secret.seal(`n${n}`, utf8('x'))))
  const { size, mode } = statSync(path.join(basedir, 'node.key'))
  assert.deepEqual([size, mode & 0o777], [32, 0o600])
  assert.equal(statSync(basedir).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(basedir), ['node.key'])
  const reader = nodeSecret({ basedir })
  for (const [n, record] of sealed.entries()) {
    assert.deepEqual(await reader.open(`n${n}`, record), utf8('x'))
  }
})

test('another secret opens nothing and says whose keys stay closed', async (t) => {
  const rows = memoryRows()
  const basedir = folder(t)
  await storeOf(rows, basedir, 'right').store.save(PAIRING)
  const refusal = { code: 'ERR_NODE_SECRET', message: /keys of node bob.*PINHOLE_SECRET/ }
  await assert.rejects(storeOf(rows, basedir, 'wrong').store.load(), refusal)
  await assert.rejects(storeOf(rows, basedir).store.load(), refusal)
  await assert.rejects(storeOf(rows, basedir, '').store.load(), refusal)
  assert.deepEqual(readdirSync(basedir), [], 'opening makes no key file')

  const unread = storeOf(rows, basedir).store
  await assert.rejects(unread.save(PAIRING), { code: 'ERR_NODE_EXISTS' }, 'it was paired elsewhere')
  await rows.remove('bob')
  await unread.save(PAIRING)
  const other = folder(t)
  const byFile = { code: 'ERR_NODE_SECRET', message: /keys of node bob.*node\.key/ }
  await assert.rejects(storeOf(rows, other).store.load(), byFile)
  writeFileSync(path.join(other, 'node.key'), new Uint8Array(32))
  await assert.rejects(storeOf(rows, other).store.load(), byFile)
  writeFileSync(path.join(other, 'node.key'), new Uint8Array(31))
  await assert.rejects(storeOf(rows, other).store.load(), { code: 'ERR_NODE_SECRET' })
  // The record says what opens it, so a secret set later takes over at the next save.
  const both = storeOf(rows, basedir, 'right')
  assert.deepEqual(await both.store.load(), PAIRING)
  await both.store.save(PAIRING)
  await assert.rejects(storeOf(rows, basedir).store.load(), refusal)
})

test('no key takes the place of one that records are stored with', async (t) => {
  const basedir = folder(t)
  const key = path.join(basedir, 'node.key')
  const stored: { name: string; sealed: Uint8Array }[] = []
  const secret = nodeSecret({ basedir, stored: () => stored })
  const seal = async (name: string) => {
    stored.push({ name, sealed: await secret.seal(name, utf8(name)) })
  }
  await seal('bob')
  await seal('alice')
  const content = readFileSync(key)
  const refusal = { code: 'ERR_NODE_SECRET', message: /node\.key.*bob, alice/ }
  rmSync(key)
  await assert.rejects(seal('carol'), refusal)
  assert.deepEqual(readdirSync(basedir), [])
  writeFileSync(key, new Uint8Array(32))
  await assert.rejects(seal('carol'), refusal)
  writeFileSync(key, content)
  await seal('carol')
  // Those that are stored under a passphrase need no file.
  const other = nodeSecret({ basedir, passphrase: 'right', stored: () => stored })
  const dave = { name: 'dave', sealed: await other.seal('dave', utf8('dave')) }
  rmSync(key)
  stored.splice(0, stored.length, dave)
  await seal('bob')
  assert.deepEqual(readdirSync(basedir), ['node.key'])
})

test('a record opens under its own name only', async (t) => {
  const rows = memoryRows()
  const basedir = folder(t)
  await storeOf(rows, basedir).store.save(PAIRING)
  await rows.put({ ...rowOf(rows), name: 'eve' })
  await assert.rejects(storeOf(rows, basedir, undefined, 'eve').store.load(), {
    code: 'ERR_NODE_SECRET',
    message: /node eve/,
  })
})

test('no change of a record opens', async (t) => {
  const secret = nodeSecret({ basedir: folder(t) })
  const sealed = await secret.seal('bob', utf8('keys'))
  const change = fc.record({
    at: fc.nat(sealed.length - 1),
    flip: fc.integer({ min: 1, max: 255 }),
    cut: fc.nat(sealed.length),
  })
  await fc.assert(
    fc.asyncProperty(change, async ({ at, flip, cut }) => {
      const flipped = Uint8Array.from(sealed)
      flipped[at] = (flipped[at] ?? 0) ^ flip
      for (const record of [flipped, sealed.subarray(0, cut)]) {
        if (record.length === sealed.length && record !== flipped) continue
        await assert.rejects(secret.open('bob', record), { code: 'ERR_NODE_SECRET' })
      }
    }),
    { numRuns: 300 },
  )
})

test('a node that was removed is not made again by a save', async (t) => {
  const rows = memoryRows()
  const { store } = storeOf(rows, folder(t))
  await store.save(PAIRING)
  await rows.remove('bob')
  await assert.rejects(store.save(PAIRING), { code: 'ERR_SESSION_STORE', message: /bob/ })
  assert.deepEqual(rows.list(), [])
})

test('a change of how the relay is trusted is kept with the pairing', async (t) => {
  const rows = memoryRows()
  const basedir = folder(t)
  const { store, secret } = storeOf(rows, basedir)
  await store.save(PAIRING)
  const clock = new ManualClock()
  const editor = new RowEditor(rows)
  const strict = sealedStore({ editor, secret, name: 'bob', insecureTls: false, clock })
  assert.deepEqual(await strict.load(), PAIRING)
  assert.equal((await openPairing(rowOf(rows), secret)).insecureTls, false)
})

test('what another process changes meanwhile is changed no less', async () => {
  const rows = memoryRows()
  await rows.put({ name: 'bob', kind: 'lnc', sealed: Uint8Array.of(1), createdAtMs: 1 })
  let elsewhere = 3
  const busy: NodeRows = {
    ...rows,
    async put(row, was) {
      const now = rows.get('bob')
      if (now && elsewhere-- > 0)
        await rows.put({ ...now, sealed: Uint8Array.of(9 - elsewhere) }, now)
      return rows.put(row, was)
    },
  }
  await new RowEditor(busy).edit('bob', (row) => row && { ...row, alias: 'BOB' })
  const { alias, sealed } = rowOf(rows)
  assert.deepEqual([alias, sealed], ['BOB', Uint8Array.of(9)])
})
