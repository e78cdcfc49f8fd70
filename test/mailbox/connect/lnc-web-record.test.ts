import assert from 'node:assert/strict'
import test from 'node:test'

import fc from '../../fast-check.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { isPinholeError } from '../../../src/base/errors.ts'
import { openLncWebRecord } from '../../../mailbox/connect/lnc-web-record.ts'
import { knownAnswers } from '../known-answers.ts'

interface Storage {
  cases: {
    password: string
    persisted: Record<string, string>
    plain: { localKey: string; remoteKey: string; pairingPhrase: string }
  }[]
}

const [recorded] = knownAnswers<Storage>('lnc_web_storage.json').cases
assert.ok(recorded)
const { password, persisted, plain } = recorded

const refused = (what: RegExp) => (reason: unknown) =>
  isPinholeError(reason, 'ERR_SESSION_RECORD') &&
  what.test(reason.message) &&
  !reason.message.includes(password) &&
  reason.cause === undefined

test('opens the record of a paired page', () => {
  const pairing = openLncWebRecord(JSON.stringify(persisted), password)
  assert.equal(pairing.serverHost, persisted.serverHost)
  assert.equal(toHex(pairing.localKey ?? new Uint8Array()), plain.localKey)
  assert.equal(toHex(pairing.remoteKey ?? new Uint8Array()), plain.remoteKey)
  assert.equal(pairing.phrase, plain.pairingPhrase)
})

test('a page that is not paired yet has no remote key', () => {
  const pairing = openLncWebRecord(JSON.stringify({ ...persisted, remoteKey: '' }), password)
  assert.equal(pairing.remoteKey, undefined)
  assert.equal(toHex(pairing.localKey ?? new Uint8Array()), plain.localKey)
})

test('a wrong password is told', () => {
  assert.throws(() => openLncWebRecord(JSON.stringify(persisted), 'x'), refused(/password/))
})

test('a record that is none, or is damaged, is told', () => {
  const swapped = { ...persisted, localKey: persisted.pairingPhrase }
  const cut = { ...persisted, localKey: persisted.localKey?.slice(0, -4) }
  const wrong: [string, RegExp][] = [
    ['', /JSON/],
    ['null', /JSON/],
    ['[]', /nothing that is encrypted/],
    [JSON.stringify({ ...persisted, salt: '' }), /nothing that is encrypted/],
    [JSON.stringify({ ...persisted, salt: 7 }), /nothing that is encrypted/],
    [JSON.stringify({ ...persisted, cipher: '****' }), /password/],
    [JSON.stringify(cut), /does not open/],
    [JSON.stringify({ ...persisted, remoteKey: 'AAAA' }), /does not open/],
    [JSON.stringify(swapped), /32 bytes of hex/],
    [`${JSON.stringify(persisted)}${' '.repeat(70_000)}`, /too long/],
  ]
  for (const [record, what] of wrong) {
    assert.throws(() => openLncWebRecord(record, password), refused(what), record.slice(0, 40))
  }
})

test('any record is a pairing or a coded error', () => {
  const text = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.constantFrom(...Object.values(persisted)),
  )
  const fields = fc.record(Object.fromEntries(Object.keys(persisted).map((key) => [key, text])))
  const record = fc.oneof(
    fc.string(),
    fc.json(),
    fields.map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(record, (value) => {
      try {
        openLncWebRecord(value, password)
      } catch (reason) {
        assert.ok(isPinholeError(reason, 'ERR_SESSION_RECORD'))
      }
    }),
    { numRuns: 10_000 },
  )
})
