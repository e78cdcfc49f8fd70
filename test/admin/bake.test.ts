import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import fc from '../fast-check.ts'
import { signMacaroon } from '../../proxy/l402/macaroon.ts'
import { ALL_SCOPES, grantOf } from '../../src/admin/auth.ts'
import { bakeMacaroon, type MacaroonLimits, type Scope } from '../../src/admin/index.ts'
import { bakeAdminMacaroon } from '../../src/admin/key-files.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { isPinholeError, PinholeError } from '../../src/base/errors.ts'

const key = Uint8Array.from(randomBytes(32))
const admin = bakeAdminMacaroon(key, [])
const NOW = Date.UTC(2026, 5, 1)

function opens(macaroon: Uint8Array, address = '192.0.2.7', wallMs = NOW): readonly Scope[] {
  const grant = grantOf(toHex(macaroon), key, { address, wallMs })
  return grant instanceof PinholeError ? [] : [...grant.scopes]
}

test('a baked macaroon opens what its limits leave', () => {
  assert.deepEqual(opens(bakeMacaroon(admin, {})), [...ALL_SCOPES])
  assert.deepEqual(opens(bakeMacaroon(admin, { scopes: ['read'] })), ['none', 'read'])
  const timed = bakeMacaroon(admin, { expiresAtMs: NOW + 1 })
  assert.deepEqual(opens(timed), [...ALL_SCOPES])
  assert.deepEqual(opens(timed, '192.0.2.7', NOW + 1), [])
  const here = bakeMacaroon(admin, { addresses: ['192.0.2.0/24', '2001:db8::1'] })
  assert.deepEqual(opens(here), [...ALL_SCOPES])
  assert.deepEqual(opens(here, '2001:db8::1'), [...ALL_SCOPES])
  assert.deepEqual(opens(here, '198.51.100.1'), [])
})

test('baking again never widens', () => {
  const scope = fc.constantFrom<Scope>('read', 'write', 'pay')
  const scopes = fc.uniqueArray(scope, { minLength: 1 })
  fc.assert(
    fc.property(fc.array(scopes, { maxLength: 5 }), (limits) => {
      let macaroon = admin
      for (const one of limits) macaroon = bakeMacaroon(macaroon, { scopes: one })
      const expected = [...ALL_SCOPES].filter(
        (one) => one === 'none' || limits.every((limit) => limit.includes(one)),
      )
      assert.deepEqual(opens(macaroon), expected)
    }),
  )
})

const REFUSED: readonly (readonly [string, MacaroonLimits])[] = [
  ['no scope', { scopes: [] }],
  ['only the scope of those without a macaroon', { scopes: ['none'] }],
  ['no time', { expiresAtMs: Number.NaN }],
  ['a time that is too far', { expiresAtMs: Date.UTC(10_000, 0) }],
  ['no address', { addresses: [] }],
  ['a word that is no address', { addresses: ['here'] }],
]

for (const [what, limits] of REFUSED) {
  test(`limits with ${what} are refused`, () => {
    assert.throws(
      () => bakeMacaroon(admin, limits),
      (e) => isPinholeError(e, 'ERR_ADMIN_REQUEST'),
    )
  })
}

test('only admin macaroons are baked, and only until they are full', () => {
  const refused = (e: unknown) => isPinholeError(e, 'ERR_ADMIN_MACAROON')
  assert.throws(() => bakeMacaroon(utf8('no'), {}), refused)
  assert.throws(() => bakeMacaroon(signMacaroon(key, utf8('token'), []), {}), refused)
  let full = admin
  for (let count = 0; count < 64; count++) full = bakeMacaroon(full, { scopes: ['read'] })
  assert.deepEqual(opens(full), ['none', 'read'])
  assert.throws(() => bakeMacaroon(full, { scopes: ['read'] }), refused)
})
