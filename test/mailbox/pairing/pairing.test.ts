import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'

import fc from '../../fast-check.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { fileStore } from '../../../mailbox/pairing/file-store.ts'
import { macaroonExpiryMs } from '../../../mailbox/pairing/macaroon-expiry.ts'
import { Notebook } from '../../../mailbox/pairing/notebook.ts'
import {
  formatPairing,
  memoryStore,
  parsePairing,
  type Pairing,
} from '../../../mailbox/pairing/pairing.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { isPinholeError } from '../../../src/base/errors.ts'

const PHRASE = 'zoo '.repeat(10).trim()
const pairing: Pairing = {
  mailbox: 'localhost:8081',
  localKey: new Uint8Array(32).fill(1),
  remoteKey: Uint8Array.of(2, ...new Uint8Array(32).fill(3)),
  phraseId: 'ab',
  phrase: PHRASE,
  expiresAtMs: 1,
}

function folder(t: { after(fn: () => void): void }): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-pairing-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

test('what is written is read back, with and without what may be missing', () => {
  const bare = { mailbox: 'x:1', localKey: pairing.localKey }
  for (const whole of [pairing, bare]) {
    const read = parsePairing(formatPairing(whole))
    assert.equal(formatPairing(read), formatPairing(whole))
  }
})

test('a text that is no pairing is a coded error without its content', () => {
  for (const text of ['', '[]', '{', '{"mailbox":"x"}', '{"mailbox":"x","localKey":"secret"}']) {
    assert.throws(
      () => parsePairing(text),
      (reason) => isPinholeError(reason, 'ERR_SESSION_STORE') && !/secret/.test(reason.message),
    )
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parsePairing(text)
      } catch (reason) {
        assert.ok(isPinholeError(reason, 'ERR_SESSION_STORE'))
      }
    }),
    { numRuns: 10_000 },
  )
})

test('a file holds the newest save, is its owner’s alone and leaves nothing beside it', async (t) => {
  const file = path.join(folder(t), 'deep', 'pairing.json')
  const store = fileStore(file)
  assert.equal(await store.load(), undefined)
  await store.save({ ...pairing, mailbox: 'old:1' })
  await store.save(pairing)
  assert.equal(formatPairing((await store.load()) ?? pairing), formatPairing(pairing))
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(path.dirname(file)), ['pairing.json'])
})

test('a save that fails leaves the old file', async (t) => {
  const made = folder(t)
  const file = path.join(made, 'pairing.json')
  await fileStore(file).save(pairing)
  const before = readFileSync(file, 'utf8')
  writeFileSync(path.join(made, 'plain'), '')
  await assert.rejects(fileStore(path.join(made, 'plain', 'pairing.json')).save(pairing))
  assert.equal(readFileSync(file, 'utf8'), before)
})

const crypto = nodeCrypto
const clock = new ManualClock()
const opened = (options: Partial<Parameters<typeof Notebook.open>[0]>) =>
  Notebook.open({ mailbox: 'x:1', crypto, clock, ...options })

test('the local key is kept before anything else, and the same phrase finds it again', async () => {
  const store = memoryStore()
  const first = await opened({ store, phrase: PHRASE })
  const kept = await store.load()
  assert.deepEqual(kept?.localKey, first.pairing.localKey)
  assert.equal(kept?.phrase, PHRASE)
  const again = await opened({ store, phrase: `  ${PHRASE.toUpperCase()}  ` })
  assert.deepEqual(again.pairing.localKey, first.pairing.localKey)
})

test('the same phrase finds its pairing when the phrase itself is forgotten; another begins anew', async () => {
  const store = memoryStore()
  const first = await opened({ store, phrase: PHRASE })
  await first.keepRemoteKey(pairing.remoteKey ?? new Uint8Array())
  await first.forgetPhrase()
  const again = await opened({ store, phrase: PHRASE })
  assert.deepEqual(again.pairing.remoteKey, pairing.remoteKey)
  assert.equal(again.pairing.phrase, undefined)
  const other = await opened({ store, phrase: `abandon ${PHRASE.slice(4)}` })
  assert.equal(other.pairing.remoteKey, undefined)
  assert.notDeepEqual(other.pairing.localKey, first.pairing.localKey)
})

test('keys given as Buffers are copied', async () => {
  const localKey = Buffer.from(pairing.localKey)
  const remoteKey = Buffer.from(crypto.publicKey(pairing.localKey))
  const notebook = await opened({ keys: { localKey, remoteKey } })
  const known = formatPairing(notebook.pairing)
  localKey.fill(0)
  remoteKey.fill(0)
  assert.equal(formatPairing(notebook.pairing), known)
})

test('a store that fails is ERR_SESSION_STORE', async () => {
  const fails = () => Promise.reject(new Error('no disk'))
  const code = { code: 'ERR_SESSION_STORE' }
  await assert.rejects(opened({ phrase: PHRASE, store: { load: fails, save: fails } }), code)
  const load = async () => undefined
  await assert.rejects(opened({ phrase: PHRASE, store: { load, save: fails } }), code)
})

test('a node without a phrase makes one, once', async () => {
  const store = memoryStore()
  const newPhrase = () => PHRASE
  const first = await opened({ store, newPhrase })
  assert.equal(first.pairing.phrase, PHRASE)
  const again = await opened({
    store,
    newPhrase: () => assert.fail('there is a pairing already'),
  })
  assert.deepEqual(again.pairing, first.pairing)
})

test('the earliest time-before of a macaroon counts', () => {
  const macaroon = (...caveats: string[]) => {
    const field = (type: number, text: string) => [type, text.length, ...Buffer.from(text)]
    const sections = caveats.flatMap((caveat) => [...field(2, caveat), 0])
    return Buffer.from([2, ...field(1, 'lnd'), ...field(2, 'id'), 0, ...sections, 0]).toString(
      'hex',
    )
  }
  const soon = '2026-01-02T03:04:05Z'
  const precise = '2026-01-02T03:04:05.123456789+01:00'
  assert.equal(macaroonExpiryMs(macaroon()), undefined)
  assert.equal(
    macaroonExpiryMs(macaroon('ipaddr 1.2.3.4', `time-before ${soon}`)),
    Date.parse(soon),
  )
  assert.equal(
    macaroonExpiryMs(macaroon(`time-before ${soon}`, `time-before ${precise}`)),
    Date.parse('2026-01-02T03:04:05.123+01:00'),
  )
  assert.equal(macaroonExpiryMs(macaroon('time-before tomorrow')), undefined)
})

test('bytes that are no macaroon have no end, and never a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const hex = Buffer.from([2, ...bytes]).toString('hex')
      assert.ok(['undefined', 'number'].includes(typeof macaroonExpiryMs(hex)))
    }),
    { numRuns: 10_000 },
  )
  assert.equal(macaroonExpiryMs('zz'), undefined)
})
