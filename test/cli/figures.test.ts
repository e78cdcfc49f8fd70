/** Commands that show what a hub has and counts, and those that try it out. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { adminServer, type Answers } from '../admin/admin-server.ts'
import { onTerminal, pinhole } from './pinhole.ts'

async function setUp(t: TestContext, answers: Answers) {
  const { url, calls } = await adminServer(t, answers)
  const flags = ['--hub', url, '--macaroon', 'ab'.repeat(32)]
  return {
    calls,
    ran: (...args: readonly string[]) => pinhole(...args, ...flags),
    shown: (...args: readonly string[]) => onTerminal(...args, ...flags),
  }
}

test('the relay shows boxes, rates and refusals, and how a node comes to it', async (t) => {
  const litd_command = 'litcli sessions add \\\n  --label pinhole'
  const refusals = { ERR_RELAY_FULL: 3 }
  const rates = { messages_per_second: 1.5, bytes_per_second: 800 }
  const relay = { enabled: true, boxes: 4, streams: 6, ...rates, refusals, litd_command }
  const { ran, shown } = await setUp(t, { getRelay: () => relay })
  assert.deepEqual((await ran('relay')).json(), relay)
  const { out, err } = await shown('relay')
  assert.match(out, /^boxes {2}4\nstreams {2}6\nmessages_per_second {2}1\.5\n/m)
  assert.match(out, /^ERR_RELAY_FULL +3$/m)
  assert.ok(err.includes(litd_command))
  const off = { ...relay, enabled: false, boxes: 0, refusals: {}, litd_command: '' }
  const none = await setUp(t, { getRelay: () => off })
  assert.match((await none.shown('relay')).err, /^This hub has no relay/)
})

test('invoices made ahead and allowances are tables with their sums', async (t) => {
  const pool = {
    prices: [
      { node: 'shop', price_msat: '10000', ready: 5, target: 8 },
      { node: 'shop', price_msat: '1500', ready: 2, target: 2 },
    ],
  }
  const services = [{ service_name: 'weather', used: 7 }]
  const limits = { per_ms: 60_000, per_address: 120, per_service: 3_000, total: 6_000 }
  const allowances = { ...limits, used_total: 9, services }
  const { ran, shown } = await setUp(t, {
    listPool: () => pool,
    getAllowances: () => allowances,
  })
  assert.deepEqual((await ran('pool')).json(), pool)
  const table = await shown('pool')
  assert.match(table.out, /^shop +10 +5 +8\nshop +1\.500 +2 +2$/m)
  assert.equal(table.err, '7 ready\n')
  assert.deepEqual((await ran('allowances')).json(), allowances)
  const used = await shown('allowances')
  assert.match(used.out, /^weather +7 +3000$/m)
  assert.equal(used.err, '9 of 6000 in 1m, at most 120 for one address\n')
})

const offer = {
  status: 402,
  challenge: 'L402 macaroon="AA", invoice="lnbcrt1"',
  invoice: 'lnbcrt1',
  price_sats: '5',
  headers: { 'content-type': 'application/json' },
  body: '{"error":"payment required"}',
  paid: false,
}

test('a service is tried: its 402, what a payment would be, the paid answer', async (t) => {
  const body = 'sun\u001b[2J\nrain'
  const paid = { ...offer, status: 200, headers: {}, body, paid: true }
  const { ran, shown, calls } = await setUp(t, {
    tryService: ({ max_sats: most, name }) =>
      name === 'broken' ? { ...offer, status: 502 } : most === undefined ? offer : paid,
  })
  const unpaid = await ran('try', 'weather', '--path', '/weather', '--method', 'POST')
  assert.deepEqual([unpaid.code, unpaid.json()], [0, offer])
  assert.deepEqual(calls[0]?.request, { name: 'weather', path: '/weather', method: 'POST' })
  const dry = await ran('try', 'weather', '--max-sats', '5', '--dry-run')
  const would = { status: 402, would_pay_sats: '5', invoice: 'lnbcrt1' }
  assert.deepEqual([dry.code, dry.json()], [10, would])
  assert.deepEqual(calls[1]?.request, { name: 'weather' })
  const dear = await ran('try', 'weather', '--max-sats', '4', '--dry-run')
  assert.equal(dear.code, 4)
  assert.match(dear.err, /asks for 5 sat and the limit is 4 sat/)
  const bought = await shown('try', 'weather', '--max-sats', '5', '--node', 'shop')
  assert.equal(bought.code, 0)
  assert.match(bought.out, /^status {2}200\nprice_sats {2}5\ninvoice {2}lnbcrt1\npaid {2}true\n/)
  assert.match(bought.out, /\n\nsun \[2J\nrain\n$/)
  assert.deepEqual(calls.at(-1)?.request, { name: 'weather', node: 'shop', max_sats: 5 })
  const { out } = await shown('try', 'weather')
  assert.ok(!out.includes('payment required'), 'a 402 says it all by its invoice')
  assert.equal((await ran('try', 'broken')).code, 1)
})

test('an upstream is asked by the hub; none ends with 1', async (t) => {
  const { ran, calls } = await setUp(t, {
    testUpstream: ({ address }) =>
      address === 'here:1'
        ? { reachable: true, status: 404, latency_ms: 3, reason: '' }
        : { reachable: false, status: 0, latency_ms: 0, reason: 'nothing listens there' },
  })
  const here = await ran('service', 'probe', 'here:1', '--protocol', 'h2c', '--upstream-insecure')
  assert.equal(here.code, 0)
  assert.deepEqual(calls[0]?.request, { address: 'here:1', protocol: 'h2c', tls_insecure: true })
  const nowhere = await ran('service', 'probe', 'there:1')
  assert.equal(nowhere.code, 1)
  assert.match(nowhere.out, /nothing listens there/)
})

test('figures come as Prometheus reads them', async (t) => {
  const text = '# TYPE up gauge\nup 1\n'
  const { ran } = await setUp(t, { getMetrics: () => text })
  assert.equal((await ran('metrics')).out, text)
  assert.deepEqual((await ran('metrics', '--json')).json(), { metrics: text })
})
