/** Every operation of the contract can be reached from the command line. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { type OperationName, operations } from '../../src/admin/contract.ts'
import { adminServer } from '../admin/admin-server.ts'
import { pinhole } from './pinhole.ts'

const PHRASE = 'abandon ability able about above absent absorb abstract absurd abuse'
const ID = 'ab'.repeat(32)

/** What to type for each; a new operation has no line here, and does not compile. */
const COMMANDS: Readonly<Record<OperationName, string>> = {
  getInfo: 'info',
  getHealth: 'health',
  listServices: 'service list',
  createService: 'service add weather --address a:1 --path-regexp ^/ --dry-run',
  updateService: 'service set weather --price 5 --dry-run',
  deleteService: 'service remove weather --dry-run',
  listTransactions: 'transaction list',
  listTokens: 'token list',
  revokeToken: `token revoke ${ID} --dry-run`,
  getStats: 'stats',
  getService: 'service show weather',
  listPrices: 'service prices weather',
  tryService: 'try weather',
  testUpstream: 'service probe a:1',
  exportTransactions: 'transaction export',
  markTransaction: 'transaction mark 12',
  decodeToken: 'token show L402',
  getSeries: 'stats --series',
  listNodes: 'node list',
  pairNode: `pair ${PHRASE}`,
  testNode: 'node info shop',
  reconnectNode: 'node reconnect shop',
  removeNode: 'node remove shop --dry-run',
  getRelay: 'relay',
  listPool: 'pool',
  getAllowances: 'allowances',
  runDoctor: 'doctor',
  getMetrics: 'metrics',
  listLogs: 'logs',
  streamEvents: 'events',
  exportConfig: 'config show',
  validateConfig: 'config check FILE',
  createLoginLink: 'admin login',
  backup: 'backup',
}

test('there is a command for every operation, and it calls just that', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-contract-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'some.yaml')
  writeFileSync(file, 'insecure: true\n')
  // What commands ask first.
  const info = {
    ...{ network: '', listen_addr: '', insecure: true, mpp_enabled: false, mpp_realm: '' },
    ...{ sessions_enabled: false, version: '', uptime_seconds: 1, sandbox: false },
    relay_enabled: true,
  }
  const { standardFields } = await import('../../src/selling/service-fields.ts')
  const service = { ...standardFields(), name: 'weather', source: 'config', updated_at: '' }
  const { url, calls } = await adminServer(t, { getInfo: () => info, getService: () => service })
  const flags = ['--hub', url, '--macaroon', ID, '--basedir', folder, '--json']
  const names = Object.keys(operations) as OperationName[]
  for (const name of names) {
    const before = calls.length
    const words = COMMANDS[name].replace('FILE', file).split(' ')
    const { code, err } = await pinhole(...words, ...flags)
    const called = calls.slice(before).map((call) => call.name)
    assert.ok(called.includes(name), `${COMMANDS[name]}: ${called.join()} ${err}`)
    const extra = called.filter((one) => one !== name)
    const asked = ['getInfo', 'getService', 'streamEvents']
    assert.ok(
      extra.every((one) => asked.includes(one)),
      `${COMMANDS[name]}: ${extra.join()}`,
    )
    assert.ok(code === 0 || err !== '', 'a refusal is said')
  }
})
