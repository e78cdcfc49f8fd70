import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { ManualClock } from '../../src/base/clock.ts'
import { type ErrorCode, isPinholeError, PinholeError } from '../../src/base/errors.ts'
import { memoryTokens } from '../../src/client/bought-token.ts'
import { payingFetch } from '../../src/client/fetch.ts'
import { tokenFiles } from '../../src/client/token-files.ts'
import { formatChallenge } from '../../proxy/l402/challenge.ts'
import { openShop } from './shop.ts'

const is = (code: ErrorCode) => (error: unknown) => isPinholeError(error, code)
const textOf = async (response: Response) => [response.status, await response.text()]

test('a 402 is paid, the answer comes, and the token serves again without a word of payment', async (t) => {
  const shop = await openShop(t)
  const fetch = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10 })
  const first = await fetch(`${shop.url}/news/today?a=1`, { headers: { 'x-own': 'yes' } })
  assert.deepEqual(await textOf(first), [200, 'served /news/today '])
  await fetch(new URL(`${shop.url}/news/today`), null as unknown as RequestInit)
  await fetch(new Request(`${shop.url}/news/tomorrow/early`))
  assert.deepEqual(
    shop.requests.map(({ path, status }) => [path, status]),
    [
      ['/news/today', 402],
      ['/news/today', 200],
      ['/news/today', 200],
      ['/news/tomorrow/early', 200],
    ],
  )
  assert.equal(shop.ledger.payments.length, 1)
})

test('each service is bought once, even where paths say nothing of services', async (t) => {
  const shop = await openShop(t)
  shop.serviceOf = (path) => (path.endsWith('b') ? 'bees' : 'ants')
  const fetch = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10 })
  for (const path of ['/a', '/b', '/x/a', '/x/b', '/x/a', '/x/b', '/a', '/b']) {
    assert.equal((await fetch(shop.url + path)).status, 200)
  }
  assert.equal(shop.ledger.payments.length, 2)
  // Once a path is known, its token is shown at once.
  assert.deepEqual(
    shop.requests.slice(-4).map(({ status }) => status),
    [200, 200, 200, 200],
  )
})

test('what is free, and what asks for payment by no scheme of ours, comes as it is', async (t) => {
  const shop = await openShop(t)
  const fetch = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10 })
  assert.equal((await fetch(`${shop.url}/free`)).status, 200)
  shop.challenge = () => ['Payment id="1", method="lightning"']
  assert.deepEqual(await textOf(await fetch(`${shop.url}/paid`)), [402, 'payment required\n'])
  shop.challenge = formatChallenge
  const own = await fetch(`${shop.url}/paid`, { headers: { authorization: 'Bearer x' } })
  assert.equal(own.status, 402)
  assert.deepEqual(shop.ledger.payments, [])
})

test('nothing is paid above the limit, without an amount, or when the offer does not hold together', async (t) => {
  const shop = await openShop(t)
  const wallet = shop.ledger.wallet()
  const store = memoryTokens()
  const rejects = (maxSats: number, code: ErrorCode) =>
    assert.rejects(payingFetch({ wallet, maxSats, store })(`${shop.url}/paid`), is(code))
  await rejects(9.999, 'ERR_PAYMENT_LIMIT')
  shop.priceMsat = undefined
  await rejects(1_000_000, 'ERR_PAYMENT_LIMIT')
  shop.priceMsat = 1n
  shop.expirySeconds = 0
  await rejects(10, 'ERR_L402_CHALLENGE')
  shop.expirySeconds = 3_600
  shop.challenge = ({ macaroon }) => formatChallenge({ macaroon, invoice: shop.ledger.invoice(1n) })
  await rejects(10, 'ERR_L402_CHALLENGE')
  shop.challenge = ({ macaroon }) => formatChallenge({ macaroon, invoice: 'lnbcrt1qqq' })
  await rejects(10, 'ERR_L402_CHALLENGE')
  shop.challenge = ({ invoice }) => formatChallenge({ macaroon: randomBytes(40), invoice })
  await rejects(10, 'ERR_L402_CHALLENGE')
  shop.challenge = () => ['L402 macaroon="!", invoice="?"']
  await rejects(10, 'ERR_L402_CHALLENGE')
  assert.deepEqual(shop.ledger.payments, [])
  assert.deepEqual(await store.list(shop.url), [])
  assert.throws(() => payingFetch({ wallet, maxSats: Number.NaN }), TypeError)
})

test('the routing fee stays within the limit and within what is usual', async (t) => {
  const shop = await openShop(t)
  const fees: bigint[] = []
  const pay = async (invoice: string, { maxFeeMsat }: { maxFeeMsat: bigint }) => {
    fees.push(maxFeeMsat)
    return shop.ledger.pay(invoice)
  }
  const buy = async (priceMsat: bigint, maxSats: number) => {
    shop.priceMsat = priceMsat
    await payingFetch({ wallet: { pay }, maxSats })(`${shop.url}/paid`)
  }
  await buy(10_000n, 10)
  await buy(10_000n, 13)
  await buy(10_000n, 1_000)
  await buy(2_000_000n, 1_000_000)
  assert.deepEqual(fees, [0n, 3_000n, 10_000n, 100_000n])
})

test('requests at the same time buy one token', async (t) => {
  const shop = await openShop(t)
  const fetch = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10 })
  const all = await Promise.all(Array.from({ length: 20 }, (_, n) => fetch(`${shop.url}/a/${n}`)))
  assert.ok(all.every(({ status }) => status === 200))
  assert.equal(shop.ledger.payments.length, 1)
})

test('a token that is revoked is dropped and bought anew, within the limit', async (t) => {
  const shop = await openShop(t)
  const store = memoryTokens()
  const fetch = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10, store })
  await fetch(`${shop.url}/a`)
  shop.rootKeys.clear()
  assert.equal((await fetch(`${shop.url}/a`)).status, 200)
  assert.equal(shop.ledger.payments.length, 2)
  assert.equal((await store.list(shop.url)).length, 1)
  shop.rootKeys.clear()
  shop.priceMsat = 11_000n
  await assert.rejects(fetch(`${shop.url}/a`), is('ERR_PAYMENT_LIMIT'))
})

test('a server that takes the money and asks again gets it once', async (t) => {
  const shop = await openShop(t)
  shop.stubborn = true
  const clock = new ManualClock(Date.now())
  const store = memoryTokens()
  const fetch = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10, store, clock })
  for (let n = 0; n < 3; n++) {
    await assert.rejects(fetch(`${shop.url}/a`), is('ERR_PAYMENT_REFUSED'))
  }
  assert.equal(shop.ledger.payments.length, 1)
  shop.stubborn = false
  assert.equal((await fetch(`${shop.url}/a`)).status, 200)
  assert.equal(shop.ledger.payments.length, 1)
  // One that offers another service each time gets one payment for a request, too.
  shop.stubborn = true
  let n = 0
  shop.serviceOf = () => `service${n++}`
  await assert.rejects(fetch(`${shop.url}/z`), is('ERR_PAYMENT_REFUSED'))
  assert.equal(shop.ledger.payments.length, 2)
})

test('bodies are sent again: from memory any, from streams up to the bound', async (t) => {
  const shop = await openShop(t)
  const wallet = shop.ledger.wallet()
  const send = (init: RequestInit, store = memoryTokens()) =>
    payingFetch({ wallet, maxSats: 10, maxReplayBytes: 8, store })(`${shop.url}/a`, {
      method: 'POST',
      ...init,
    })
  const stream = (text: string) => ReadableStream.from([...text].map((c) => Buffer.from(c)))
  for (const body of [
    'x'.repeat(100),
    new Blob(['blob of data']),
    new URLSearchParams({ a: 'b' }),
  ]) {
    assert.equal((await send({ body })).status, 200)
    const [unpaid, paid] = shop.requests.splice(0)
    assert.equal(unpaid?.body, paid?.body)
    assert.notEqual(paid?.body, '')
  }
  assert.deepEqual(await textOf(await send({ body: stream('12345678'), duplex: 'half' })), [
    200,
    'served /a 12345678',
  ])
  const request = new Request(`${shop.url}/a`, { method: 'POST', body: 'short' })
  const replayed = await payingFetch({ wallet, maxSats: 10 })(request)
  assert.deepEqual(await textOf(replayed), [200, 'served /a short'])
  const paid = shop.ledger.payments.length
  await assert.rejects(
    send({ body: stream('123456789'), duplex: 'half' }),
    is('ERR_PAYMENT_REPLAY'),
  )
  assert.equal(shop.ledger.payments.length, paid)
  // With a token in hand it goes through, however long it is.
  const store = memoryTokens()
  await send({ body: 'small' }, store)
  const long = await send({ body: stream('123456789'), duplex: 'half' }, store)
  assert.deepEqual(await textOf(long), [200, 'served /a 123456789'])
})

test('an aborted request rejects; its payment goes on and its token is kept', async (t) => {
  const shop = await openShop(t)
  const store = memoryTokens()
  const stop = new AbortController()
  let finish = () => {}
  const released = new Promise<void>((resolve) => (finish = resolve))
  const wallet = {
    async pay(invoice: string) {
      stop.abort(new Error('enough'))
      await released
      return shop.ledger.pay(invoice)
    },
  }
  const fetch = payingFetch({ wallet, maxSats: 10, store })
  await assert.rejects(fetch(`${shop.url}/a`, { signal: stop.signal }), /enough/)
  finish()
  while ((await store.list(shop.url)).every(({ preimage }) => !preimage)) {
    await new Promise(setImmediate)
  }
  assert.equal((await fetch(`${shop.url}/a`)).status, 200)
  assert.equal(shop.ledger.payments.length, 1)
})

test('a failed payment is forgotten, an open one is asked for again with the same invoice', async (t) => {
  const shop = await openShop(t)
  const store = memoryTokens()
  const invoices: string[] = []
  let fail: Error | undefined = new PinholeError('ERR_PAYMENT_FAILED', 'no route')
  const wallet = {
    async pay(invoice: string) {
      invoices.push(invoice)
      if (fail) throw fail
      return shop.ledger.pay(invoice)
    },
  }
  const fetch = payingFetch({ wallet, maxSats: 10, store })
  await assert.rejects(fetch(`${shop.url}/a`), is('ERR_PAYMENT_FAILED'))
  assert.deepEqual(await store.list(shop.url), [])
  fail = new Error('connection lost')
  await assert.rejects(fetch(`${shop.url}/a`), is('ERR_PAYMENT_PENDING'))
  await assert.rejects(fetch(`${shop.url}/a`), is('ERR_PAYMENT_PENDING'))
  fail = undefined
  assert.equal((await fetch(`${shop.url}/a`)).status, 200)
  assert.equal(new Set(invoices).size, 2)
  assert.equal(invoices.length, 4)
})

test('tokens in files: private, whole, shared by programs, refused when broken', async (t) => {
  const shop = await openShop(t)
  const base = mkdtempSync(path.join(os.tmpdir(), 'pinhole-tokens-'))
  t.after(() => rmSync(base, { recursive: true }))
  const folder = path.join(base, 'tokens')
  const wallet = shop.ledger.wallet()
  const buy = () => payingFetch({ wallet, maxSats: 10, store: tokenFiles(folder) })(`${shop.url}/a`)
  await buy()
  const [name = ''] = readdirSync(folder)
  assert.equal(readdirSync(folder).length, 1)
  assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  await buy()
  assert.equal(shop.ledger.payments.length, 1)
  assert.deepEqual(await tokenFiles(folder).list('https://elsewhere'), [])
  writeFileSync(path.join(folder, name), '{"origin":"')
  await assert.rejects(buy(), is('ERR_PAYMENT_STORE'))
  writeFileSync(path.join(base, 'plain'), '')
  const nowhere = tokenFiles(path.join(base, 'plain', 'tokens'))
  await assert.rejects(
    payingFetch({ wallet, maxSats: 10, store: nowhere })(`${shop.url}/b`),
    is('ERR_PAYMENT_STORE'),
  )
  assert.equal(shop.ledger.payments.length, 1)
})
