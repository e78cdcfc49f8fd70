import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Transaction } from '../../src/admin/contract.ts'
import { readSpan, spanMs } from '../../src/cli/times.ts'
import { adminServer, type Answers } from '../admin/admin-server.ts'
import { onTerminal, pinhole } from './pinhole.ts'

const AT = '2026-01-02T03:04:05.000Z'
const ID = '3fa8c01d'.padEnd(64, '0')
const OTHER_ID = '3fa9'.padEnd(64, '1')

const transaction = (values: Partial<Transaction> = {}): Transaction => ({
  id: 12,
  token_id: ID,
  payment_hash: 'ab'.repeat(32),
  service_name: 'weather',
  price_sats: '10',
  state: 'settled',
  created_at: AT,
  settled_at: AT,
  price_msat: '10000',
  auth_type: 'l402',
  imported: false,
  valid: true,
  test: false,
  ...values,
})

async function setUp(t: TestContext, answers: Answers) {
  const { url, calls } = await adminServer(t, answers)
  const flags = ['--hub', url, '--macaroon', 'ab'.repeat(32)]
  return {
    calls,
    request: (at = -1) => calls.at(at)?.request,
    ran: (...args: readonly string[]) => pinhole(...args, ...flags),
    shown: (...args: readonly string[]) => onTerminal(...args, ...flags),
  }
}

test('a span of time is dates, times or how long ago, with ends that can be left out', () => {
  const now = Date.parse('2026-02-01T00:00:00Z')
  const span = (from?: string, to?: string) =>
    readSpan({ ...(from ? { from } : {}), ...(to ? { to } : {}) }, now)
  assert.deepEqual(span(), { from: '', to: '' })
  assert.deepEqual(span('30d'), {
    from: '2026-01-02T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
  })
  assert.deepEqual(span('2026-01-01', '2026-01-31'), {
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-31T23:59:59.999Z',
  })
  assert.deepEqual(span(undefined, '2026-01-02T03:04:05+01:00'), {
    from: '1970-01-01T00:00:00.000Z',
    to: '2026-01-02T02:04:05.000Z',
  })
  assert.throws(() => span('yesterday'), { code: 'ERR_CLI_USAGE' })
  assert.throws(() => span('2026-13-01'), { code: 'ERR_CLI_USAGE' })
  assert.deepEqual(['2w', '1y', '1h30m', '0d', '-1s', 'd', ''].map(spanMs), [
    14 * 86_400_000,
    365 * 86_400_000,
    5_400_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('transactions are listed by filters, short on a terminal', async (t) => {
  const answer = { transactions: [transaction({ valid: false, test: true })], total_count: '40' }
  const { ran, shown, request } = await setUp(t, { listTransactions: () => answer })
  const listed = await ran(
    ...['transaction', 'list', '--service', 'weather', '--state', 'settled', '--exclude-test'],
    ...['--from', '2026-01-01', '--to', '2026-01-02', '--search', '3f', '--limit', '7'],
    ...['--offset', '2'],
  )
  assert.equal(listed.code, 0, listed.err)
  assert.deepEqual(listed.json(), answer)
  assert.deepEqual(request(), {
    service: 'weather',
    state: 'settled',
    start_date: '2026-01-01T00:00:00.000Z',
    end_date: '2026-01-02T23:59:59.999Z',
    search: '3f',
    exclude_test: 'true',
    limit: '7',
    offset: '2',
  })
  const { out, err } = await shown('transaction', 'list')
  assert.match(out, /^12 .*weather +10 +settled .* 3fa8c01d00000000 +revoked test\n$/m)
  assert.equal(err, '1 of 40\n')
  assert.equal((await ran('transaction', 'list', '--state', 'lost')).code, 2)
  assert.equal((await ran('transaction', 'list', '--limit', '1001')).code, 2)
})

test('an export is the CSV itself, into a file only where there is none', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-csv-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const csv = 'id,service_name\n12,weather\n'
  const { ran } = await setUp(t, { exportTransactions: () => csv })
  assert.equal((await ran('transaction', 'export')).out, csv)
  const file = path.join(folder, 'all.csv')
  const written = await ran('transaction', 'export', '--out', file)
  assert.deepEqual(written.json(), { file, bytes: csv.length })
  assert.equal(readFileSync(file, 'utf8'), csv)
  const again = await ran('transaction', 'export', '--out', file)
  assert.equal(again.code, 2)
  assert.match(again.err, /exists already/)
  const cut = path.join(folder, 'cut.csv')
  const refused = await setUp(t, {})
  assert.equal((await refused.ran('transaction', 'export', '--out', cut)).code, 3)
  assert.ok(!existsSync(cut), 'what was not ended is not left')
})

test('a payment is marked as a test and back', async (t) => {
  const { ran, request } = await setUp(t, {
    markTransaction: ({ id, test: mark }) => transaction({ id, test: mark }),
  })
  await ran('transaction', 'mark', '12')
  assert.deepEqual(request(), { id: '12', test: true })
  const back = await ran('transaction', 'mark', '12', '--no-test')
  assert.deepEqual(request(), { id: '12', test: false })
  assert.equal(back.code, 0)
})

test('a token is named by a beginning of its id that no other has', async (t) => {
  const tokens = [transaction(), transaction({ id: 13, token_id: OTHER_ID })]
  const revoked: string[] = []
  const { ran, shown } = await setUp(t, {
    listTokens: ({ search = '' }) => ({
      // As the hub does: by token id or by payment hash.
      tokens: tokens.filter(({ token_id: id }) => id.startsWith(search) || search === 'abab'),
      total_count: '2',
    }),
    revokeToken({ token_id: id, dry_run: dryRun }) {
      if (!dryRun) revoked.push(id)
      return { status: 'revoked' }
    },
  })
  assert.match((await shown('token', 'list')).out, /^3fa8c01d00000000 +weather +10 /m)
  const one = await ran('token', 'show', '3FA8')
  assert.equal((one.json() as Transaction).id, 12)
  const dry = await ran('token', 'revoke', '3fa8', '--dry-run')
  assert.deepEqual([dry.code, dry.json(), revoked], [10, { would_revoke: ID }, []])
  assert.deepEqual((await ran('token', 'revoke', '3fa8')).json(), { revoked: ID })
  assert.deepEqual(revoked, [ID])
  assert.equal((await ran('token', 'revoke', 'abab')).code, 5)
  assert.equal((await ran('token', 'revoke', 'mine')).code, 2)
  tokens.push(transaction({ token_id: '3fa8'.padEnd(64, '2') }))
  const several = await ran('token', 'revoke', '3fa8')
  assert.equal(several.code, 2)
  assert.match(several.err, /2 tokens begin with 3fa8/)
})

test('a credential is decoded by the hub', async (t) => {
  const decoded = {
    token_id: ID,
    payment_hash: 'ab'.repeat(32),
    version: 0,
    location: 'weather',
    caveats: [{ condition: 'services', value: 'weather:0' }],
    expires_at: '',
    verdict: 'valid',
  }
  const { ran, shown, request } = await setUp(t, { decodeToken: () => decoded })
  const credential = 'L402 AgEEbHNhdA==:00'
  assert.deepEqual((await ran('token', 'show', credential)).json(), decoded)
  assert.deepEqual(request(), { credential })
  const { out } = await shown('token', 'show', credential, '--service', 'weather')
  assert.match(out, /^verdict {2}valid\ncondition {2}value\nservices +weather:0\n$/m)
  assert.deepEqual(request(), { credential, service: 'weather' })
})

test('sums and series', async (t) => {
  const stats = {
    total_revenue_sats: '30',
    transaction_count: '3',
    service_breakdown: [{ service_name: 'weather', total_revenue_sats: '30' }],
  }
  const point = { at: AT, service_name: 'weather', offered: 5, settled: 3, served_paid: 9 }
  const series = {
    points: [{ ...point, revenue_msat: '30500' }],
    funnel: { offered: 5, settled: 3, used: 2 },
  }
  const { ran, shown, request } = await setUp(t, { getStats: () => stats, getSeries: () => series })
  assert.deepEqual((await ran('stats', '--exclude-test')).json(), stats)
  assert.deepEqual(request(), { from: '', to: '', exclude_test: 'true' })
  const { out, err } = await shown('stats')
  assert.equal(out, 'service  sats\nweather  30\n')
  assert.equal(err, '30 sat from 3 payments\n')
  const steps = await ran('stats', '--series', '--step', '1h', '--from', '2026-01-01')
  assert.deepEqual(steps.json(), series)
  assert.equal((request() as { step_seconds: string }).step_seconds, '3600')
  const table = await shown('stats', '--series')
  assert.match(table.out, /^2026-01-02T03:04:05\.000Z +weather +5 +3 +30 +9$/m)
  assert.equal(table.err, '5 offered, 3 paid, 2 used\n')
  assert.equal((await ran('stats', '--series', '--step', 'often')).code, 2)
})
