import assert from 'node:assert/strict'
import test from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { parseCaveat, type Caveat } from '../../../proxy/l402/caveat.ts'
import { MAX_CAVEATS, MAX_MACAROON_BYTES } from '../../../proxy/l402/fields.ts'
import { readMacaroon, signMacaroon } from '../../../proxy/l402/macaroon.ts'
import { attenuate, mint } from '../../../proxy/l402/mint.ts'
import { hex, vectors } from './vectors.ts'

const services: Caveat = { condition: 'services', value: 'paid:0' }
const parts = {
  rootKey: new Uint8Array(32).fill(1),
  paymentHash: new Uint8Array(32).fill(2),
  tokenId: new Uint8Array(32).fill(3),
}

test('tokens are minted byte for byte as Go mints them', () => {
  let minted = 0
  for (const token of vectors.tokens) {
    const texts = token.caveats ?? []
    const [rootKey, identifier] = [hex(token.rootKey), hex(token.identifier)]
    assert.equal(toHex(signMacaroon(rootKey, identifier, texts)), token.v2)
    const caveats = texts.flatMap((text) => parseCaveat(text) ?? [])
    if (caveats.length < texts.length || caveats.length === 0) continue
    minted++
    const made = mint({
      rootKey,
      paymentHash: hex(token.paymentHash),
      tokenId: hex(token.tokenId),
      caveats,
    })
    assert.equal(toHex(made.macaroon), token.v2)
    assert.equal(toHex(made.identifier), token.identifier)
  }
  assert.equal(minted, 3)
})

test('caveats added later make what Go makes at once, from either version', () => {
  const token = vectors.tokens[3]
  assert.ok(token)
  const caveats = (token.caveats ?? []).flatMap((text) => parseCaveat(text) ?? [])
  const identifier = hex(token.identifier)
  for (let minted = 0; minted <= caveats.length; minted++) {
    const texts = (token.caveats ?? []).slice(0, minted)
    const start = signMacaroon(hex(token.rootKey), identifier, texts)
    assert.equal(toHex(attenuate(start, caveats.slice(minted))), token.v2)
  }
  const more = { condition: 'paid_valid_until', value: '1' }
  assert.equal(toHex(attenuate(hex(token.v1), [more])), toHex(attenuate(hex(token.v2), [more])))
})

test('a macaroon of more than a page is written and read back', () => {
  const caveats = [services, { condition: 'long', value: 'ü'.repeat(1000) }]
  const { macaroon } = mint({ ...parts, caveats })
  assert.deepEqual(readMacaroon(macaroon)?.caveats, ['services=paid:0', `long=${'ü'.repeat(1000)}`])
})

test('what could not be sold is a mistake', () => {
  const caveats = [services]
  assert.ok(mint({ ...parts, caveats }))
  const wrong = [
    { ...parts, caveats, rootKey: new Uint8Array(31) },
    { ...parts, caveats, paymentHash: new Uint8Array(33) },
    { ...parts, caveats, tokenId: new Uint8Array() },
    { ...parts, caveats: [] },
    { ...parts, caveats: [{ condition: 'region', value: 'eu' }] },
    { ...parts, caveats: [services, { condition: 'a=b', value: 'c' }] },
    { ...parts, caveats: Array<Caveat>(MAX_CAVEATS + 1).fill(services) },
    { ...parts, caveats: [services, { condition: 'a', value: 'x'.repeat(MAX_MACAROON_BYTES) }] },
  ]
  for (const options of wrong) assert.throws(() => mint(options), TypeError)
})

test('what is no macaroon, or would grow beyond the limits, takes no caveat', () => {
  const { macaroon } = mint({ ...parts, caveats: [services] })
  const refused = { name: 'PinholeError', code: 'ERR_L402_MACAROON' }
  assert.throws(() => attenuate(macaroon.subarray(1), [services]), refused)
  assert.throws(() => attenuate(new Uint8Array(), []), refused)
  assert.throws(() => attenuate(macaroon, Array<Caveat>(MAX_CAVEATS).fill(services)), refused)
  assert.throws(
    () => attenuate(macaroon, [{ condition: 'a', value: 'x'.repeat(MAX_MACAROON_BYTES) }]),
    refused,
  )
  assert.throws(() => attenuate(macaroon, [{ condition: 'a=b', value: '' }]), TypeError)
})

test('caveats can be added beside those of a third party in version 2 only', () => {
  const ofThirdParty = vectors.parsings.filter(({ caveats }) => caveats?.[0] === 'third party')
  const [v2, v1] = ofThirdParty.map(({ bytes }) => hex(bytes))
  assert.ok(v1 && v2)
  assert.deepEqual(readMacaroon(attenuate(v2, [services]))?.caveats, ['services=paid:0'])
  assert.throws(() => attenuate(v1, [services]), { code: 'ERR_L402_MACAROON' })
})
