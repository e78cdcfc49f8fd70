import assert from 'node:assert/strict'
import test from 'node:test'
import { extendMacaroon, readMacaroon } from '../../proxy/l402/macaroon.ts'
import { operations } from '../../src/admin/contract.ts'
import { toHex } from '../../src/base/bytes.ts'
import { openShop } from './shop.ts'

test('a token is decoded, and told why it opens nothing', async (t) => {
  const shop = await openShop(t)
  const decode = async (credential: string, service = '') => {
    const drawn = await shop.call('POST', '/tokens/decode', { credential, service })
    assert.equal(drawn.status, 200, JSON.stringify(drawn.body))
    return operations.decodeToken.response.parse(drawn.body)
  }
  const offer = await shop.buy()
  const [, base64 = '', preimage = ''] = /^L402 ([^:]+):(.*)$/.exec(offer.authorization) ?? []
  const good = await decode(offer.authorization)
  assert.deepEqual(
    [good.verdict, good.token_id, good.payment_hash, good.expires_at],
    ['valid', offer.tokenId, toHex(offer.paymentHash), ''],
  )
  assert.deepEqual([good.version, good.location], [2, 'lsat'])
  assert.deepEqual(good.caveats[0], { condition: 'services', value: 'paid:0' })
  assert.equal((await decode(`Authorization: ${offer.authorization}`)).verdict, 'valid')
  assert.equal((await decode(`${base64}:${preimage}`)).verdict, 'valid')
  assert.equal((await decode(offer.authorization, 'other')).verdict, 'it is for another service')
  const wrong = `L402 ${base64}:${'0'.repeat(64)}`
  assert.equal((await decode(wrong)).verdict, 'the preimage is not that of its invoice')

  const bytes = new Uint8Array(Buffer.from(base64, 'base64'))
  for (const macaroon of [base64, toHex(bytes)]) {
    assert.equal((await decode(macaroon)).verdict, 'it has no preimage; all else is good')
  }
  const macaroon = readMacaroon(bytes) ?? assert.fail('no macaroon')
  const narrowed = (...caveats: readonly string[]) =>
    `L402 ${Buffer.from(extendMacaroon(macaroon, caveats)).toString('base64')}:${preimage}`
  const late = await decode(narrowed('paid_valid_until=1000'))
  assert.deepEqual([late.verdict, late.expires_at], ['it has expired', '1970-01-01T00:16:40.000Z'])
  const never = await decode(narrowed(`paid_valid_until=${10n ** 17n}`, 'odd'))
  assert.deepEqual([never.verdict, never.expires_at], ['valid', ''])
  assert.deepEqual(never.caveats.at(-1), { condition: 'odd', value: '' })
  bytes.set([255], bytes.length - 1)
  const changed = await decode(toHex(bytes))
  assert.equal(changed.verdict, 'it was changed: its signature is not ours')
  await shop.call('DELETE', `/tokens/${offer.tokenId}`)
  assert.equal((await decode(offer.authorization)).verdict, 'it was revoked')

  for (const credential of ['', 'L402', 'Basic abc', 'zz', '00'.repeat(32_000), 'é'.repeat(100)]) {
    const { status } = await shop.call('POST', '/tokens/decode', { credential })
    assert.equal(status, 400, credential.slice(0, 10))
  }
  assert.equal((await shop.call('POST', '/tokens/decode', {})).status, 400)
})
