import assert from 'node:assert/strict'
import test from 'node:test'
import { Registry } from 'prom-client'
import { toHex } from '../../src/base/bytes.ts'
import { isPinholeError, PinholeError } from '../../src/base/errors.ts'
import { MAX_CALLS, MAX_WAITING } from '../../src/invoices/pool-step.ts'
import { DEFAULTS, HOUR_MS, pass, settle, stage, withPool } from './stage.ts'

const far = () => 300

const unavailable = (after?: number) => (reason: unknown) => {
  assert.ok(isPinholeError(reason, 'ERR_INVOICE_UNAVAILABLE'), String(reason))
  assert.ok((reason.retryAfterMs ?? 0) > 0)
  if (after !== undefined) assert.equal(reason.retryAfterMs, after)
  return true
}

test('the first request waits for the node, the next ones do not', async () => {
  const { clock, invoices, ask } = stage({ roundTripMs: far })
  const first = ask()
  await pass(clock, 300)
  const { paymentHash, amountMsat, expiresAtMs } = await first
  assert.equal(paymentHash.length, 32)
  assert.equal(amountMsat, 1_000n)
  assert.equal(expiresAtMs, clock.wall() - 300 + DEFAULTS.expiry)
  const ready = invoices.state[0]?.ready ?? 0
  assert.ok(ready >= 4 && ready <= 8, `${ready} ready`)
  const given = await Promise.all([ask(), ask(), ask(), ask()])
  assert.equal(new Set(given.map((invoice) => toHex(invoice.paymentHash))).size, 4)
  await invoices.close()
})

test('prices do not mix, nor do nodes', async () => {
  const { clock, invoices, ask, node } = stage({ roundTripMs: far })
  const asked = [ask(1_000n), ask(2_000n), ask(1_000n, 'alice')]
  await pass(clock, 300)
  const amounts = (await Promise.all(asked)).map((invoice) => [
    invoice.amountMsat,
    node.invoices.get(toHex(invoice.paymentHash))?.amountMsat,
  ])
  assert.deepEqual(amounts, [
    [1_000n, 1_000n],
    [2_000n, 2_000n],
    [1_000n, 1_000n],
  ])
  await assert.rejects(ask(1_000n, 'nobody'), unavailable())
  await assert.rejects(ask(0n), TypeError)
  await invoices.close()
})

test('without a pool each request has an invoice of its own made', async () => {
  const { clock, node, invoices, store, ask } = stage({
    roundTripMs: far,
    options: withPool({ enabled: false }),
  })
  const asked = [ask(), ask(), ask()]
  await pass(clock, 1_000)
  await Promise.all(asked)
  assert.equal(node.invoices.size, 3)
  assert.equal(store.disk.pool.size, 0)
  await invoices.close()
})

test('a minlife that is not below the expiry leaves no pool', async () => {
  const { clock, node, invoices, ask } = stage({ options: withPool({ minlife: 24 * HOUR_MS }) })
  await ask()
  await pass(clock, 1_000)
  assert.equal(node.invoices.size, 1)
  await invoices.close()
})

test('with the node away the pool is given out, then requests are told when to come back', async () => {
  const { clock, node, invoices, ask } = stage({ roundTripMs: far })
  void ask()
  await pass(clock, 1_000)
  const ready = invoices.state[0]?.ready ?? 0
  node.leave()
  for (let n = 0; n < ready; n++) await ask()
  await assert.rejects(ask(), unavailable(5_000))
  assert.deepEqual(invoices.state, [{ node: 'alice', state: 'away', ready: 0, subscribed: false }])
  node.comeBack()
  await pass(clock, 1_000)
  assert.ok((invoices.state[0]?.ready ?? 0) >= 4, 'filled again without a request')
  assert.equal(invoices.state[0]?.subscribed, true)
  await invoices.close()
})

test('those who wait when the node goes away are refused at once', async () => {
  const { clock, node, invoices, ask } = stage({ roundTripMs: far })
  const asked = Promise.allSettled([ask(), ask()])
  await pass(clock, 100)
  node.leave()
  await pass(clock, 200)
  for (const outcome of await asked) assert.equal(outcome.status, 'rejected')
  await invoices.close()
})

test('a call that fails refuses one request; what is made ahead waits longer and longer', async () => {
  const { clock, node, invoices, ask } = stage({ roundTripMs: far })
  node.addFails = () => new PinholeError('ERR_NODE_PERMISSION', 'no invoices:write')
  const asked = ask()
  const refused = assert.rejects(asked, (reason: unknown) => {
    assert.ok(isPinholeError(reason, 'ERR_INVOICE_UNAVAILABLE'))
    assert.ok(isPinholeError(reason.cause, 'ERR_NODE_PERMISSION'))
    return true
  })
  await pass(clock, 300)
  await refused
  let tries = 0
  node.addFails = () => (tries++, new PinholeError('ERR_NODE_PERMISSION', 'no invoices:write'))
  await pass(clock, 10 * 60_000)
  assert.ok(tries >= 10 && tries <= 150, `${tries} tries in 10 minutes`)
  node.addFails = () => undefined
  await pass(clock, 120_000)
  assert.ok((invoices.state[0]?.ready ?? 0) >= 4)
  await invoices.close()
})

test('a node that never answers holds nobody longer than the timeout, and no call for ever', async () => {
  const { clock, node, invoices, ask } = stage()
  node.hangs = true
  const refused = assert.rejects(ask(), unavailable(5_000))
  await pass(clock, DEFAULTS.timeout)
  await refused
  node.hangs = false
  await pass(clock, 60_000)
  assert.ok((invoices.state[0]?.ready ?? 0) >= 4)
  await invoices.close()
})

test('requests that wait and calls under way are bounded', async () => {
  const { clock, node, invoices } = stage({ roundTripMs: far })
  const amounts = Array.from({ length: MAX_WAITING + 50 }, (_, n) => BigInt(n + 1))
  const outcomes = Promise.allSettled(
    amounts.map((amountMsat) => invoices.invoice({ amountMsat, node: undefined })),
  )
  await pass(clock, 10_000)
  const rejected = (await outcomes).filter(({ status }) => status === 'rejected')
  assert.equal(rejected.length, 50)
  assert.ok(node.mostCalls <= MAX_CALLS, `${node.mostCalls} calls at once`)
  await invoices.close()
})

test('many prices do not fill the pool beyond its bound, nor drive out a busy one', async () => {
  const total = 40
  const { clock, store, invoices, ask } = stage({ options: withPool({ total }) })
  let most = 0
  for (let n = 0; n < 300; n++) {
    await ask(1_000n)
    await ask(BigInt(2_000 + n))
    await pass(clock, 1_000)
    most = Math.max(most, store.disk.pool.size)
  }
  assert.ok(most <= total, `${most} kept`)
  const busy = store.counts().find(({ amountMsat }) => amountMsat === 1_000n)
  assert.ok((busy?.count ?? 0) >= 4)
  await invoices.close()
})

test('prices that nobody asks for any more do not take the room from each other for ever', async () => {
  const { clock, node, store, invoices, ask } = stage({
    options: withPool({ perprice: 8, total: 12 }),
  })
  store.autoCommit = false
  node.addFails = () => (node.invoices.size > 1_000 ? new Error('too many') : undefined)
  const asked = (price: bigint, times: number) =>
    Promise.allSettled(Array.from({ length: times }, () => ask(price)))
  await asked(3_000n, 1)
  await asked(1_000n, 1)
  node.leave()
  // More than there is room for.
  for (const [price, times] of [
    [1_000n, 2],
    [3_000n, 4],
    [2_000n, 5],
  ] as const) {
    await asked(price, times)
  }
  store.autoCommit = true
  store.commit()
  node.comeBack()
  await pass(clock, 120_000)
  assert.ok(node.invoices.size <= 40, `${node.invoices.size} made`)
  assert.ok(store.disk.pool.size <= 12)
  await invoices.close()
})

test('an invoice too old is not given out, and forgotten', async () => {
  const { clock, store, invoices, ask } = stage()
  await ask()
  await settle()
  const old = [...store.disk.pool.keys()]
  assert.ok(old.length >= 4)
  await pass(clock, DEFAULTS.expiry - DEFAULTS.pool.minlife + 61_000)
  for (const id of old) assert.ok(!store.disk.pool.has(id))
  const { expiresAtMs } = await ask()
  assert.ok(expiresAtMs - clock.wall() > DEFAULTS.pool.minlife)
  await invoices.close()
})

test('what was kept is given out after a restart, with the node away', async () => {
  const before = stage()
  await before.ask()
  await settle()
  await before.invoices.close()
  const kept = before.store.disk.pool.size
  assert.ok(kept >= 4)
  const { node, invoices, ask } = stage({ store: before.store.reopened() })
  node.state = 'away'
  for (let n = 0; n < kept; n++) await ask()
  await assert.rejects(ask(), unavailable())
  await invoices.close()
})

test('with the disk broken requests are served from the node, which is not asked for more than that', async () => {
  const { clock, node, store, invoices, ask } = stage()
  await ask()
  await settle()
  store.fails = new PinholeError('ERR_STORE_OPEN', 'the disk is broken')
  const before = node.invoices.size
  for (let n = 0; n < 100; n++) {
    await ask()
    await pass(clock, 1_000)
  }
  const made = node.invoices.size - before
  assert.ok(made < 200, `${made} made for 100 requests`)
  await invoices.close()
})

test('an invoice that the node gives twice is given out once', async () => {
  const { clock, node, invoices, ask } = stage({ options: withPool({ enabled: false }) })
  const made = node.create(1_000n)
  node.addInvoice = async () => made
  await ask()
  await assert.rejects(ask(), unavailable())
  await pass(clock, 0)
  await invoices.close()
})

test('closing refuses those who wait and leaves no timer that asks again', async () => {
  const { clock, invoices, ask } = stage({ roundTripMs: far })
  const refused = assert.rejects(ask(), unavailable())
  await settle()
  await invoices.close()
  await refused
  await assert.rejects(ask(), unavailable())
  await pass(clock, 60_000)
  assert.equal(clock.next(), undefined)
})

test('figures by node are shown to Prometheus', async () => {
  const registry = new Registry()
  const { clock, invoices, ask } = stage({ roundTripMs: far, registry })
  const first = ask()
  await pass(clock, 1_000)
  await first
  await ask()
  const text = await registry.metrics()
  for (const line of [
    'pinhole_invoices_given_total{node="alice",from="pool"} 1',
    'pinhole_invoices_given_total{node="alice",from="demand"} 1',
    'pinhole_invoice_wait_seconds_count{node="alice"} 1',
    'pinhole_invoice_wait_seconds_sum{node="alice"} 0.3',
    'pinhole_invoice_failures_total{node="alice",reason="away"} 0',
  ]) {
    assert.ok(text.includes(line), `${line}\n${text}`)
  }
  assert.match(text, /pinhole_invoices_made_total\{node="alice"\} \d/)
  assert.match(text, /pinhole_invoices_ready\{node="alice"\} \d/)
  await invoices.close()
})

test('a store that holds more than it may is given out all the same', async () => {
  const before = stage()
  for (let n = 0; n < 5; n++) await before.ask(BigInt(1_000 + n))
  await settle()
  await before.invoices.close()
  const store = before.store.reopened()
  const { invoices, ask, node } = stage({ store, options: withPool({ perprice: 1, total: 1 }) })
  for (let n = 0; n < 5; n++) await ask(BigInt(1_000 + n))
  assert.equal(node.invoices.size, 0)
  await invoices.close()
})
