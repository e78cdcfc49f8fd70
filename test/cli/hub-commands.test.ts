import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { adminServer } from '../admin/admin-server.ts'
import { onTerminal, pinhole } from './pinhole.ts'

const AT = '2026-01-02T03:04:05.000Z'
const MACAROON = ['--macaroon', 'ab'.repeat(32)]

test('the configuration of a hub is YAML, also in a pipe, and JSON with --json', async (t) => {
  const yaml = 'listenaddr: localhost:8081\nservices: []\n'
  const { url } = await adminServer(t, { exportConfig: () => yaml })
  const flags = ['config', 'show', '--hub', url, ...MACAROON]
  assert.equal((await pinhole(...flags)).out, yaml)
  assert.equal((await onTerminal(...flags)).out, yaml)
  assert.deepEqual((await pinhole(...flags, '--json')).json(), {
    listenaddr: 'localhost:8081',
    services: [],
  })
})

test('a configuration is checked as a start would, without a hub', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const none = await pinhole('config', 'check', '--basedir', folder)
  assert.equal(none.code, 1)
  assert.match(none.err, /there is no pinhole\.yaml or aperture\.yaml in/)
  const file = path.join(folder, 'pinhole.yaml')
  const service = '  - {name: a, hostregexp: ., pathregexp: ^/a, address: "a:1", price: 1}\n'
  writeFileSync(file, `services:\n${service}profile: 2000\n`)
  const good = await pinhole('config', 'check', '--basedir', folder)
  assert.deepEqual([good.code, good.json()], [0, { file, services: 1 }])
  assert.match(good.err, /^profile is set, but this version does not act on it/)
  // What only shows when services are put together.
  writeFileSync(file, `services:\n${service}${service}`)
  const twice = await pinhole('config', 'check', file)
  assert.equal(twice.code, 1)
  assert.match(twice.err, /ERR_CONFIG_VALUE/)
  assert.equal((await pinhole('config', 'check', file, '--configfile', '/other')).code, 2)
})

test('a backup says where it lies', async (t) => {
  const copy = { file: '/var/lib/pinhole/backups/1.db', bytes: 4_096 }
  const { url } = await adminServer(t, { backup: () => copy })
  const { code, json } = await pinhole('backup', '--hub', url, ...MACAROON)
  assert.deepEqual([code, json()], [0, copy])
})

test('lines of the log are one row each', async (t) => {
  const fields = { node: 'shop', tries: 3 }
  const line = { at: AT, level: 'warn' as const, part: 'HUB', text: 'the node\nis away', fields }
  const { url, calls } = await adminServer(t, {
    listLogs: () => ({ lines: [line], cursor: 'a.1' }),
  })
  const flags = ['logs', '--hub', url, ...MACAROON]
  assert.deepEqual((await pinhole(...flags)).json(), { lines: [line], cursor: 'a.1' })
  const { out } = await onTerminal(...flags, '--level', 'warn', '--limit', '5')
  assert.match(out, /Z +warn +HUB +the node is away node=shop tries=3\n$/)
  assert.deepEqual(calls.at(-1)?.request, { level: 'warn', limit: '5' })
  assert.equal((await pinhole(...flags, '--level', 'loud')).code, 2)
})

test('events come a line each until the hub ends, which is said', async (t) => {
  const events = [
    { type: 'offered', at: AT, service_name: 'weather', price_msat: '1000' },
    { type: 'node', at: AT, name: 'shop', state: 'ready', reason: '' },
  ]
  const { url } = await adminServer(t, {
    async *streamEvents() {
      yield* events
    },
  })
  const flags = ['events', '--hub', url, ...MACAROON]
  const piped = await pinhole(...flags)
  assert.equal(piped.code, 3)
  assert.match(piped.err, /ERR_HUB_UNREACHABLE/)
  assert.deepEqual(
    piped.out
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
    events,
  )
  assert.equal(
    (await onTerminal(...flags)).out,
    `${AT}  offered  service_name=weather  price_msat=1000\n${AT}  node  name=shop  state=ready\n`,
  )
})

test('a signal ends the events in order', async (t) => {
  const { url } = await adminServer(t, {
    async *streamEvents(_, { closed }) {
      yield { type: 'services', at: AT }
      process.emit('SIGINT')
      await new Promise((resolve) => closed.addEventListener('abort', resolve))
    },
  })
  const { code, err } = await pinhole('events', '--hub', url, ...MACAROON)
  assert.deepEqual([code, err], [0, ''])
})
