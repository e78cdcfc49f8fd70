import assert from 'node:assert/strict'
import test from 'node:test'
import { operations } from '../../src/admin/contract.ts'
import { csvLine } from '../../src/admin/csv.ts'
import { UseCounts } from '../../src/admin/use-counts.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { scratchDatabase } from '../../src/store/database.ts'
import { ROWS_AT_ONCE, SALES_QUERIES, salesOverTime } from '../../src/store/series.ts'
import { openStore } from '../../src/store/store.ts'
import { folder } from '../nodes/setup.ts'
import { openShop, type Shop } from './shop.ts'

const seriesOf = async ({ call }: Shop, query = '') =>
  operations.getSeries.response.parse((await call('GET', `/series${query}`)).body)

test('offers, payments, uses and income are counted over time; tests are left out when asked', async (t) => {
  const shop = await openShop(t)
  await shop.offer()
  const [first, second] = [await shop.buy(), await shop.buy()]
  for (const offer of [first, first, second]) assert.equal(await shop.use(offer), 200)
  const unheard = await shop.offer()
  assert.equal(await shop.use(unheard), 200, 'paid, and used before the node has told')
  // A token's first use reaches the disk a moment later.
  let funnel = { offered: 0, settled: 0, used: 0 }
  while (funnel.used < 3) ({ funnel } = await seriesOf(shop))
  assert.deepEqual(funnel, { offered: 4, settled: 3, used: 3 })
  const { points } = await seriesOf(shop, '?step_seconds=31536000')
  assert.deepEqual(
    points.map(({ at: _at, ...point }) => point),
    [
      {
        service_name: 'paid',
        offered: 4,
        settled: 3,
        revenue_msat: '15000',
        served_paid: 4,
      },
    ],
  )

  const { body: list } = await shop.call('GET', `/transactions?search=${first.tokenId}`)
  const [sale] = operations.listTransactions.response.parse(list).transactions
  const marked = await shop.call('PATCH', `/transactions/${sale?.id}`, { test: true })
  assert.deepEqual([marked.status, marked.body.test], [200, true])
  assert.deepEqual((await seriesOf(shop, '?exclude_test')).funnel, {
    offered: 3,
    settled: 2,
    used: 2,
  })
  const stats = await shop.call('GET', '/stats?exclude_test=true')
  assert.equal(stats.body.total_revenue_sats, '10')
  assert.equal((await shop.call('GET', '/stats')).body.total_revenue_sats, '15')
  assert.equal((await shop.call('GET', '/transactions?exclude_test=1')).body.total_count, '3')
  await shop.call('PATCH', `/transactions/${sale?.id}`, { test: false })
  assert.equal((await shop.call('GET', '/stats?exclude_test')).body.total_revenue_sats, '15')
  assert.equal((await shop.call('PATCH', '/transactions/999', { test: true })).status, 404)
  assert.equal((await shop.call('PATCH', '/transactions/x', { test: true })).status, 400)
})

test('spans that are none and series that are too long are refused', async (t) => {
  const shop = await openShop(t)
  for (const query of [
    '?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&step_seconds=60',
    '?from=2020-01-01T00:00:00Z',
    '?from=x&to=y',
    '?step_seconds=1',
  ]) {
    assert.equal((await shop.call('GET', `/series${query}`)).status, 400, query)
  }
  const from = '2026-01-01T00:00:00Z'
  assert.deepEqual(await seriesOf(shop, `?from=${from}&to=${from}`), {
    points: [],
    funnel: { offered: 0, settled: 0, used: 0 },
  })
})

test('offers that were removed for age are still counted', async (t) => {
  const store = openStore(`${folder(t)}/pinhole.db`)
  t.after(() => store.close())
  const bytes = (fill: number) => new Uint8Array(32).fill(fill)
  for (const fill of [1, 2, 3]) {
    await store.tokens.add({
      identifierHash: bytes(fill),
      rootKey: bytes(fill),
      tokenId: bytes(fill),
      paymentHash: bytes(fill),
      service: fill < 3 ? 'a' : 'b',
      priceMsat: 1_000n,
      createdAtMs: 7_200_000 + fill,
    })
  }
  store.tokens.paid(bytes(1))
  assert.equal(await store.transactions.pruneUnpaid(8_000_000), 2)
  const span = { fromMs: 7_200_000, toMs: 7_300_000, real: true }
  assert.deepEqual(sumOf(store.transactions.funnel(span)), { offered: 3, settled: 1, used: 1 })
  const steps = [...store.transactions.series({ ...span, stepMs: 3_600_000 })].flat()
  const counts = (service: string) => sumOf(steps.filter((step) => step.service === service))
  assert.ok(steps.every(({ atMs }) => atMs === 7_200_000))
  assert.deepEqual([counts('a').offered, counts('b').offered], [2, 1])
})

const sumOf = (parts: Iterable<{ offered: number; settled: number; used?: number }>) => {
  const sum = { offered: 0, settled: 0, used: 0 }
  for (const { offered, settled, used = 0 } of parts) {
    sum.offered += offered
    sum.settled += settled
    sum.used += used
  }
  return sum
}

test('sums look at so many rows in one turn and no more, and find them by an index', () => {
  const database = scratchDatabase()
  const rows = 3 * ROWS_AT_ONCE + 7
  const add = database.prepare(
    `insert into transactions (state, auth_type, payment_hash, service, price_msat, created_ms, settled_ms, used_ms)
     values (?, 'l402', ?, 'a', 1000, ?, ?, ?)`,
  )
  database.transaction(() => {
    for (let n = 0; n < rows; n++) {
      const hash = Buffer.alloc(32)
      hash.writeUInt32BE(n)
      // Many of the same millisecond, and the newest rows are not the latest offers.
      const createdMs = 1_000_000 + Math.floor((rows - n) / 900)
      const settledMs = n % 2 === 0 ? createdMs + 5 : null
      add.run(settledMs === null ? 'pending' : 'settled', hash, createdMs, settledMs, settledMs)
    }
  })()
  const sales = salesOverTime(database)
  const span = { fromMs: 0, toMs: 2_000_000, real: true }
  const settled = Math.ceil(rows / 2)
  const funnel = [...sales.funnel(span)]
  assert.deepEqual(sumOf(funnel), { offered: rows, settled, used: settled })
  const turns = [...sales.series({ ...span, stepMs: 60_000 })]
  assert.deepEqual(sumOf(turns.flat()), { offered: rows, settled, used: 0 })
  assert.equal(
    turns.flat().reduce((sum, { revenueMsat }) => sum + revenueMsat, 0n),
    BigInt(settled) * 1_000n,
  )
  for (const within of [{}, { fromMs: 0, toMs: 2_000_000 }]) {
    const revenue = [...sales.revenue({ ...within, real: true })]
    assert.ok(revenue.flat().every(({ count }) => count <= ROWS_AT_ONCE))
    assert.deepEqual(
      [
        revenue.flat().reduce((sum, { count }) => sum + count, 0),
        revenue.flat().reduce((sum, { msat }) => sum + msat, 0n),
      ],
      [settled, BigInt(settled) * 1_000n],
    )
    assert.ok(revenue.length > 1)
  }
  for (const turn of [...funnel, ...turns.map(sumOf)]) {
    assert.ok(turn.offered <= ROWS_AT_ONCE && turn.settled <= ROWS_AT_ONCE)
  }
  assert.deepEqual(
    sumOf(sales.funnel({ ...span, fromMs: 1_000_001, toMs: 1_000_001 })).offered,
    900,
  )
  for (const text of SALES_QUERIES) {
    const bound = { ms: 0, id: 0, lastMs: 1, lastId: 1, to: 1, step: 1, test: 1 }
    const plan = database.prepare<[object], { detail: string }>(`explain query plan ${text}`)
    const [scan] = plan.all(bound).map(({ detail }) => detail)
    assert.match(
      scan ?? '',
      /^SEARCH transactions USING (((COVERING )?INDEX transactions_\w+)|INTEGER PRIMARY KEY) \(/,
      text,
    )
  }
  database.close()
})

test('paid requests are counted minute by minute, and memory is bounded', () => {
  const clock = new ManualClock(0)
  const uses = new UseCounts(clock)
  for (const minutes of [0, 0, 1, 61]) {
    clock.advance(minutes * 60_000 - clock.now())
    uses.add('a')
  }
  const counted = [...uses.between(30_000, 61 * 60_000, 3_600_000)]
  assert.deepEqual(
    counted.map(({ atMs, count }) => [atMs, count]),
    [
      [0, 2],
      [0, 1],
      [3_600_000, 1],
    ],
  )
  for (let n = 0; n < 150_000; n++) {
    clock.advance(60_000)
    uses.add('a')
  }
  assert.ok([...uses.between(0, Infinity, 60_000)].length <= 100_000)
})

test('all transactions come as CSV that no spreadsheet runs', async (t) => {
  const service = { name: '@SUM("x")', address: '127.0.0.1:9', price: 5 }
  const shop = await openShop(t, { services: [service] })
  for (let n = 0; n < 3; n++) await shop.offer('/')
  const headers = { 'Grpc-Metadata-Macaroon': shop.macaroon }
  const csvOf = async (query: string) => {
    const answer = await fetch(`${shop.url}/api/admin/transactions.csv${query}`, { headers })
    assert.equal(answer.headers.get('content-type'), 'text/csv; charset=utf-8')
    return (await answer.text()).split('\r\n')
  }
  const [head, first, ...rest] = await csvOf('')
  assert.match(head ?? '', /^id,created_at,settled_at,state,service_name,/)
  assert.match(first ?? '', /^3,2[^,]+,,pending,"'@SUM\(""x""\)",5,5000,l402,[0-9a-f]{64},/)
  assert.deepEqual([rest.length, rest.at(-1)], [3, ''])
  assert.equal((await csvOf('?limit=1&offset=1'))[1]?.slice(0, 2), '2,')
  assert.equal((await csvOf('?state=settled')).length, 2)
  const wrong = await fetch(`${shop.url}/api/admin/transactions.csv?state=x`, { headers })
  assert.equal(wrong.status, 400)
})

test('a CSV line is quoted where it must be', () => {
  assert.equal(csvLine(['a', 1, true]), 'a,1,true\r\n')
  assert.equal(csvLine(['+1', '-1', '@x', '\tx']), "'+1,'-1,'@x,'\tx\r\n")
  assert.equal(csvLine(['a\nb', 'c"d']), '"a\nb","c""d"\r\n')
})
