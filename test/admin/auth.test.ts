import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import fc from '../fast-check.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { signMacaroon } from '../../proxy/l402/macaroon.ts'
import { grantOf } from '../../src/admin/auth.ts'
import { bakeAdminMacaroon } from '../../src/admin/key-files.ts'

const key = Uint8Array.from(randomBytes(32))
const asker = { address: '192.0.2.7', wallMs: Date.UTC(2026, 5, 1) }
const baked = (...caveats: string[]) => toHex(bakeAdminMacaroon(key, caveats))

function scopes(macaroon: string | undefined): string {
  const grant = grantOf(macaroon, key, asker)
  return grant instanceof PinholeError ? grant.message : [...grant.scopes].join(' ')
}

test('a macaroon without caveats opens everything', () => {
  assert.equal(scopes(baked()), 'none read write pay')
})

test('caveats narrow, together', () => {
  assert.equal(scopes(baked('scope = read write')), 'none read write')
  assert.equal(scopes(baked('scope = read write', 'scope = write pay')), 'none write')
  assert.equal(scopes(baked('scope=read', 'expires = 2026-06-01T00:00:01Z')), 'none read')
  assert.equal(scopes(baked('address = 192.0.2.0/24')), 'none read write pay')
})

const REFUSED = [
  ['expired', 'expires = 2026-06-01T00:00:00Z'],
  ['no time', 'expires = never'],
  ['elsewhere', 'address = 198.51.100.0/24'],
  ['no network', 'address = everywhere'],
  ['no scope', 'scope = '],
  ['unknown scope', 'scope = read admin'],
  ['unknown', 'colour = blue'],
  ['no condition', 'read'],
  ['empty', ''],
] as const

for (const [what, caveat] of REFUSED) {
  test(`a caveat that is ${what} is refused`, () => {
    assert.equal(
      scopes(baked(caveat)),
      `macaroon verification failed: its caveat "${caveat}" does not hold now for 192.0.2.7`,
    )
  })
}

test('a caveat is quoted in an error without what a terminal acts upon, and shortened', () => {
  const text = scopes(baked(`\u001b[2J${'x'.repeat(200)}`))
  assert.match(text, /its caveat "\\u001b\[2Jx{76}" does not hold/)
})

test('what is none of ours is refused with the words of Aperture', () => {
  assert.equal(scopes(undefined), 'missing macaroon')
  assert.equal(scopes('xyz'), 'invalid macaroon encoding')
  assert.equal(scopes('00'), 'invalid macaroon')
  const other = Uint8Array.from(randomBytes(32))
  assert.equal(scopes(toHex(bakeAdminMacaroon(other, []))), 'macaroon verification failed')
  const token = signMacaroon(key, utf8('someone'), [], 'aperture')
  assert.equal(scopes(toHex(token)), 'macaroon verification failed')
})

test('no change of a single byte opens anything more', () => {
  const bytes = bakeAdminMacaroon(key, ['scope = read'])
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const forged = Uint8Array.from(bytes)
      forged[at] = (forged[at] ?? 0) ^ flip
      const grant = grantOf(toHex(forged), key, asker)
      // The location is not signed.
      assert.ok(grant instanceof PinholeError || [...grant.scopes].join(' ') === 'none read')
    }),
  )
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.uint8Array().map(toHex)), (text) => {
      assert.ok(grantOf(text, key, asker) instanceof PinholeError)
    }),
  )
})
