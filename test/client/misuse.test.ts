import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import { payingFetch, type PayingFetchOptions } from '../../src/client/fetch.ts'
import { payingInterceptor, type PayingInterceptorOptions } from '../../src/client/interceptor.ts'
import { nodeWallet, type PayingNode } from '../../src/client/node-wallet.ts'
import { tokenFiles } from '../../src/client/token-files.ts'
import { openShop } from './shop.ts'

/** What programs without types pass. */
const untyped = (options: object) => payingFetch(options as PayingFetchOptions)

test('what is no wallet and no store is refused before anything is sent', () => {
  const pay = () => Promise.reject(new Error('not asked for'))
  assert.throws(() => untyped({ maxSats: 10 }), { name: 'TypeError', message: /wallet/ })
  assert.throws(() => untyped({ wallet: pay, maxSats: 10 }), { name: 'TypeError' })
  assert.throws(() => untyped({ wallet: { pay }, maxSats: 10, store: 'tokens' }), {
    name: 'TypeError',
    message: /tokenFiles/,
  })
  const wrong = [{ fetch: 5 }, { maxReplayBytes: Number.NaN }, { wallet: Promise.resolve({ pay }) }]
  for (const option of wrong) {
    const [name = ''] = Object.keys(option)
    const message = new RegExp(`^${name} is`)
    assert.throws(() => untyped({ wallet: { pay }, maxSats: 10, ...option }), { message })
  }
  assert.throws(() => payingFetch(undefined as never), { name: 'TypeError', message: /options/ })
})

test('what is no node and no folder is refused when it is named, not when there is something to pay', () => {
  const node = Promise.resolve({}) as unknown as PayingNode
  assert.throws(() => nodeWallet(node), { name: 'TypeError', message: /is an await missing/ })
  for (const folder of [undefined, '', 5]) {
    assert.throws(() => tokenFiles(folder as string), { name: 'TypeError', message: /^folder is/ })
  }
  assert.throws(() => decodeInvoice(undefined as unknown as string), { name: 'TypeError' })
})

test('an interceptor without the name of its server would show its tokens to others, so there is none', () => {
  const wallet = { pay: () => Promise.reject(new Error('not asked for')) }
  for (const origin of [undefined, '', 5]) {
    const options = { wallet, maxSats: 10, origin } as PayingInterceptorOptions
    assert.throws(() => payingInterceptor(options), { name: 'TypeError', message: /^origin is/ })
  }
})

test('a preimage in hex is taken; what is none leaves the payment open', async (t) => {
  const shop = await openShop(t)
  const inHex = async (invoice: string) => ({ preimage: toHex(shop.ledger.pay(invoice).preimage) })
  const paid = await untyped({ wallet: { pay: inHex }, maxSats: 10 })(`${shop.url}/paid`)
  assert.equal(paid.status, 200)
  for (const answer of [undefined, {}, { preimage: 'no hex' }, { preimage: 5 }]) {
    const fetch = untyped({ wallet: { pay: async () => answer }, maxSats: 10 })
    const isOpen = (reason: unknown) => isPinholeError(reason, 'ERR_PAYMENT_PENDING')
    await assert.rejects(fetch(`${shop.url}/paid`), isOpen)
  }
})

test('the error of a payment that may be open says what the wallet said', async (t) => {
  const shop = await openShop(t)
  const pay = () => Promise.reject(new Error('insufficient balance'))
  const sent = payingFetch({ wallet: { pay }, maxSats: 10 })(`${shop.url}/paid`)
  await assert.rejects(sent, /not known: the wallet failed: insufficient balance/)
})

test('who has gone away pays for nothing, even where the fetch takes no notice', async (t) => {
  const shop = await openShop(t)
  const leaving = new AbortController()
  const deaf: typeof globalThis.fetch = async (input, init) => {
    const response = await fetch(input, { ...init, signal: null })
    leaving.abort(new Error('gone'))
    return response
  }
  const buying = payingFetch({ wallet: shop.ledger.wallet(), maxSats: 10, fetch: deaf })
  await assert.rejects(buying(`${shop.url}/paid`, { signal: leaving.signal }), /gone/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(shop.ledger.payments, [])
})

test('a token file that cannot be read is named, and nothing is paid in its place', async (t) => {
  const shop = await openShop(t)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-tokens-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const options = { wallet: shop.ledger.wallet(), maxSats: 10 }
  await payingFetch({ ...options, store: tokenFiles(folder) })(`${shop.url}/paid`)
  const [name = ''] = readdirSync(folder)
  writeFileSync(path.join(folder, name), '{"origin":')
  await assert.rejects(
    payingFetch({ ...options, store: tokenFiles(folder) })(`${shop.url}/paid`),
    (reason) => isPinholeError(reason, 'ERR_PAYMENT_STORE') && reason.message.includes(name),
  )
  assert.equal(shop.ledger.payments.length, 1)
})
