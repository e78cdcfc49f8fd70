import assert from 'node:assert/strict'
import test from 'node:test'
import { cookieName, cookieValue, fitsCookie, readCookies, setCookie } from '../../proxy/cookie.ts'
import { withoutCredentialCookies } from '../../proxy/forward/credential.ts'

const VALUE = cookieValue(Uint8Array.of(2, 255, 254), new Uint8Array(32).fill(7))

test('the cookie of a service is found among others, and no other service finds it', () => {
  const [pair = ''] = setCookie({
    service: 'paid',
    value: VALUE,
    secure: false,
    seconds: 60,
  }).split(';')
  const header = `a=1; ${pair}; ${cookieName('other')}=x`
  assert.deepEqual(readCookies(header, 'paid'), [VALUE])
  assert.deepEqual(readCookies(header, 'other'), ['x'])
  assert.deepEqual(readCookies(header, 'third'), [])
  assert.deepEqual(readCookies(undefined, 'paid'), [])
  assert.equal(withoutCredentialCookies(header), 'a=1')
})

test('its attributes keep it from scripts and other sites, and from cleartext if it came by TLS', () => {
  const facts = { service: 'paid', value: VALUE, secure: true, seconds: 59.9 }
  const name = cookieName('paid')
  assert.match(name, /^pinhole_l402_[0-9a-f]{32}$/)
  assert.equal(
    setCookie(facts),
    `${name}=${VALUE}; Max-Age=59; Path=/; HttpOnly; SameSite=Lax; Secure`,
  )
  assert.doesNotMatch(setCookie({ ...facts, secure: false }), /Secure/)
  assert.match(setCookie({ ...facts, seconds: undefined }), /Max-Age=34560000;/)
  assert.match(setCookie({ ...facts, seconds: -5 }), /Max-Age=0;/)
})

test('a macaroon that no browser would keep does not fit', () => {
  assert.equal(fitsCookie(new Uint8Array(300)), true)
  assert.equal(fitsCookie(new Uint8Array(4_000)), false)
})
