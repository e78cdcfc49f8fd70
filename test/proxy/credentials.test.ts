/** What opens the gate, and every way in which a credential must not. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { describe } from 'node:test'
import { attenuate, formatAuthorization, parseChallenge } from '../../proxy/l402/index.ts'
import { compilePattern } from '../../proxy/pattern.ts'
import { open2, raw } from '../listener/serving.ts'
import { ask, ask2, buy, openShop } from './shop.ts'

const PAID = { name: 'paid', path: compilePattern('^/paid'), priceMsat: 10_000n }
const OTHER = { name: 'other', path: compilePattern('^/other'), priceMsat: 1_000n }

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('paid: every form opens, in any case, among other lines', async (t) => {
  const shop = await openShop(t, { services: [PAID] })
  const { macaroon, preimage, authorization } = await buy(shop, '/paid')
  const credential = `${base64(macaroon)}:${hex(preimage)}`
  const carried = hex(attenuate(macaroon, [{ condition: 'preimage', value: hex(preimage) }]))
  const FORMS: readonly Record<string, string | string[]>[] = [
    { authorization },
    { authorization: `LSAT ${credential}` },
    { authorization: `lsat ${credential}` },
    { authorization: `l402 ${base64(macaroon)}:${hex(preimage).toUpperCase()}` },
    { authorization: ['Basic eDp5', authorization, 'Bearer zzz'] },
    { authorization: `Basic eDp5, ${authorization}` },
    { macaroon: carried },
    { 'grpc-metadata-macaroon': carried },
    { token: carried },
  ]
  for (const headers of FORMS) {
    const { status } = await ask(`${shop.url}/paid/x`, { headers })
    assert.equal(status, 200, JSON.stringify(Object.keys(headers)))
  }
  const session = open2(t, shop.url)
  const { headers } = await ask2(session, { ':path': '/paid/x', authorization })
  assert.equal(headers[':status'], 200)
  assert.equal(shop.invoices.asked.length, 1)
})

test('the upstream is told of the token and never sees the credential', async (t) => {
  const shop = await openShop(t, { services: [PAID] })
  const { authorization, preimage } = await buy(shop, '/paid')
  const { body } = await ask(`${shop.url}/paid`, { headers: { authorization } })
  const { headers } = JSON.parse(body) as { headers: Record<string, string> }
  const [sold] = shop.tokens.sold
  assert.ok(sold)
  assert.equal(headers['x-pinhole-service'], 'paid')
  assert.equal(headers['x-pinhole-token-id'], hex(sold.tokenId))
  assert.equal(headers['x-pinhole-paid-msat'], '10000')
  assert.equal(headers['x-pinhole-scheme'], 'L402')
  assert.doesNotMatch(body, new RegExp(hex(preimage), 'i'))
})

test('the second use of a credential asks the store nothing, and the first marks it as paid', async (t) => {
  const shop = await openShop(t, { services: [PAID] })
  const { authorization } = await buy(shop, '/paid')
  for (let i = 0; i < 3; i++) {
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
  }
  assert.equal(shop.tokens.lookups, 1)
  assert.deepEqual(
    shop.tokens.shown,
    shop.tokens.sold.map((sold) => hex(sold.identifierHash)),
  )
})

describe('a paid credential goes on working', () => {
  test('while the backend of invoices fails', async (t) => {
    const shop = await openShop(t, { services: [PAID], rememberedTokens: 1 })
    const { authorization } = await buy(shop, '/paid')
    shop.invoices.failure = new Error('away')
    shop.invoices.settled = () => Promise.reject(new Error('away'))
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
  })
})

describe('refused', () => {
  test('at another service, remembered or not', async (t) => {
    const shop = await openShop(t, { services: [PAID, OTHER] })
    const { authorization } = await buy(shop, '/other')
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 402)
    assert.equal((await ask(`${shop.url}/other`, { headers: { authorization } })).status, 200)
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 402)
  })

  test('once revoked, even though it is remembered', async (t) => {
    const shop = await openShop(t, { services: [PAID] })
    const { authorization } = await buy(shop, '/paid')
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
    const [sold] = shop.tokens.sold
    assert.ok(sold)
    shop.tokens.revoke(sold.identifierHash)
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 402)
  })

  test('once expired, even though it is remembered', async (t) => {
    const shop = await openShop(t, { services: [{ ...PAID, timeoutSeconds: 60 }] })
    const { authorization } = await buy(shop, '/paid')
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
    shop.clock.advance(60_000)
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 402)
  })

  test('with a caveat that narrows it to another service or to the past', async (t) => {
    const shop = await openShop(t, { services: [PAID] })
    const { macaroon, preimage, authorization } = await buy(shop, '/paid')
    // Remembered in its wide form first: the narrow one must not profit.
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
    const seconds = Math.floor(shop.clock.wall() / 1_000)
    const CAVEATS = [
      { condition: 'services', value: 'other:0' },
      { condition: 'paid_valid_until', value: String(seconds - 1) },
    ]
    for (const caveat of CAVEATS) {
      const narrowed = formatAuthorization(attenuate(macaroon, [caveat]), preimage)
      const { status } = await ask(`${shop.url}/paid`, { headers: { authorization: narrowed } })
      assert.equal(status, 402, caveat.condition)
    }
  })

  test('with a wrong preimage, a bent macaroon or none at all', async (t) => {
    const shop = await openShop(t, { services: [PAID] })
    const { macaroon, preimage } = await buy(shop, '/paid')
    const bent = Uint8Array.from(macaroon)
    bent[bent.length - 3] = (bent.at(-3) ?? 0) ^ 1
    const paymentHash = Uint8Array.from(createHash('sha256').update(preimage).digest())
    const LINES = [
      formatAuthorization(macaroon, paymentHash),
      formatAuthorization(macaroon, new Uint8Array(32)),
      formatAuthorization(bent, preimage),
      `L402 :${hex(preimage)}`,
      `L402 ${base64(macaroon)}`,
      `L402 ${base64(macaroon)}:${hex(preimage)}00`,
      'L402',
      'L402 ' + 'A'.repeat(4_000),
    ]
    for (const authorization of LINES) {
      const { status, challenges } = await ask(`${shop.url}/paid`, { headers: { authorization } })
      assert.equal(status, 402)
      assert.equal(challenges.length, 2)
    }
    assert.deepEqual(shop.reached, [])
  })

  test('a flood of credentials costs no more than a few looks', async (t) => {
    const shop = await openShop(t, { services: [PAID] })
    const { macaroon, preimage } = await buy(shop, '/paid')
    const bent = Uint8Array.from(macaroon)
    bent[bent.length - 3] = (bent.at(-3) ?? 0) ^ 1
    const line = `Authorization: ${formatAuthorization(bent, preimage)}\r\n`
    const request = `GET /paid HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${line.repeat(40)}\r\n`
    assert.match(await raw(shop.port, request), /^HTTP\/1.1 402 /)
    assert.ok(shop.tokens.lookups <= 8)
    const huge = `GET /paid HTTP/1.1\r\nHost: h\r\nAuthorization: L402 ${'A'.repeat(70_000)}\r\n\r\n`
    assert.match(await raw(shop.port, huge), /^HTTP\/1.1 431 /)
  })
})

describe('strictverify', () => {
  test('opens only when the node has told that the invoice is settled, within 3 s', async (t) => {
    const shop = await openShop(t, { services: [PAID], strictVerify: true })
    const { authorization } = await buy(shop, '/paid')
    const early = ask(`${shop.url}/paid`, { headers: { authorization } })
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    shop.clock.advance(2_999)
    shop.clock.advance(1)
    assert.equal((await early).status, 402)
    const [sold] = shop.tokens.sold
    assert.ok(sold)
    const waiting = ask(`${shop.url}/paid`, { headers: { authorization } })
    while (shop.invoices.waiting < 2) await new Promise((resolve) => setImmediate(resolve))
    shop.invoices.settle(sold.paymentHash)
    assert.equal((await waiting).status, 200)
    shop.invoices.settled = () => Promise.reject(new Error('away'))
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
  })

  test('a token revoked while the node is asked stays out', async (t) => {
    const shop = await openShop(t, { services: [PAID], strictVerify: true })
    const { authorization } = await buy(shop, '/paid')
    const [sold] = shop.tokens.sold
    assert.ok(sold)
    const waiting = ask(`${shop.url}/paid`, { headers: { authorization } })
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    shop.tokens.revoke(sold.identifierHash)
    shop.invoices.settle(sold.paymentHash)
    assert.equal((await waiting).status, 402)
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 402)
  })

  test('what was remembered without asking is asked for after a reload that turns it on', async (t) => {
    const shop = await openShop(t, { services: [PAID] })
    const { authorization } = await buy(shop, '/paid')
    assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
    shop.snapshot = { ...shop.snapshot, strictVerify: true }
    const waiting = ask(`${shop.url}/paid`, { headers: { authorization } })
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    shop.clock.advance(3_000)
    assert.equal((await waiting).status, 402)
  })
})

describe('strict401', () => {
  test('a credential that opens nothing draws 401, with a new challenge that can be bought', async (t) => {
    const shop = await openShop(t, { services: [PAID, OTHER], strict401: true })
    const { authorization } = await buy(shop, '/paid')
    const refused = await ask(`${shop.url}/other`, { headers: { authorization } })
    assert.equal(refused.status, 401)
    const problem = JSON.parse(refused.body) as Record<string, unknown>
    assert.equal(problem.status, 401)
    assert.equal(problem.type, 'https://paymentauth.org/problems/verification-failed')
    const [challenge] = parseChallenge(refused.challenges)
    assert.ok(challenge)
    const preimage = shop.invoices.preimageOf(challenge.invoice)
    const bought = formatAuthorization(challenge.macaroon, preimage)
    const { status } = await ask(`${shop.url}/other`, { headers: { authorization: bought } })
    assert.equal(status, 200)
  })

  test('no credential and what is none of ours draw 402, and gRPC its own status', async (t) => {
    const shop = await openShop(t, { services: [PAID], strict401: true })
    const OTHERS: readonly Record<string, string>[] = [
      {},
      { authorization: 'Basic eDp5' },
      { authorization: 'Bearer zzz' },
      { macaroon: 'abcd' },
      { token: 'session-17' },
    ]
    for (const headers of OTHERS) {
      assert.equal(
        (await ask(`${shop.url}/paid`, { headers })).status,
        402,
        JSON.stringify(headers),
      )
    }
    for (const authorization of ['L402 AAAA:00', 'lsat', 'Basic eDp5, L402 x']) {
      const { status } = await ask(`${shop.url}/paid`, { headers: { authorization } })
      assert.equal(status, 401, authorization)
    }
    const call = {
      ':method': 'POST',
      ':path': '/paid',
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: 'L402 AAAA:00',
    }
    const { headers } = await ask2(open2(t, shop.url), call, '')
    assert.equal(headers[':status'], 200)
    assert.equal(headers['grpc-message'], 'payment required')
  })
})

test('no credential, preimage or root key reaches the log', async (t) => {
  const shop = await openShop(t, { services: [PAID] })
  const { authorization, macaroon, preimage } = await buy(shop, '/paid')
  await ask(`${shop.url}/paid`, { headers: { authorization } })
  shop.tokens.rootKey = () => {
    throw new Error('the disk is gone')
  }
  const fresh = formatAuthorization(attenuate(macaroon, [{ condition: 'a', value: 'b' }]), preimage)
  const failed = await ask(`${shop.url}/paid`, { headers: { authorization: fresh } })
  assert.deepEqual([failed.status, failed.body], [500, 'internal error\n'])
  const text = JSON.stringify(shop.logged, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  assert.ok(shop.logged.length > 0)
  for (const secret of [base64(macaroon), hex(preimage), base64(preimage)]) {
    assert.ok(!text.includes(secret))
  }
})
