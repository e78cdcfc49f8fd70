import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { standardFields } from '../../src/selling/service-fields.ts'
import { openStore } from '../../src/store/store.ts'
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
  writeFileSync(file, `services:\n${service}tor: { v3: true }\n`)
  const good = await pinhole('config', 'check', '--basedir', folder)
  const services = [{ name: 'a', source: 'config' }]
  assert.deepEqual([good.code, good.json()], [0, { file, services }])
  assert.match(good.err, /^tor is set, but this version does not act on it/)
  // What only shows when services are put together.
  writeFileSync(file, `services:\n${service}${service}`)
  const twice = await pinhole('config', 'check', file)
  assert.equal(twice.code, 1)
  assert.match(twice.err, /ERR_CONFIG_VALUE/)
  assert.equal((await pinhole('config', 'check', file, '--configfile', '/other')).code, 2)
})

test('what the database has of services is checked with the file, and told apart', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'pinhole.yaml')
  const database = path.join(folder, 'pinhole.db')
  const entry = (name: string) =>
    `  - {name: ${name}, hostregexp: ., pathregexp: ^/, address: "a:1"}\n`
  writeFileSync(file, `services:\n${entry('a')}${entry('b')}${entry('c')}`)
  const store = openStore(database)
  const put = (name: string, settings: string | undefined) =>
    store.services.put({ name, settings, createdAtMs: 1, updatedAtMs: 1 }, [])
  const fields = { ...standardFields(), address: 'a:2' }
  await put('b', JSON.stringify(fields))
  await put('c', undefined)
  await put('d', JSON.stringify(fields))
  const check = () => pinhole('config', 'check', '--basedir', folder)
  const services = [
    { name: 'a', source: 'config' },
    { name: 'b', source: 'database' },
    { name: 'd', source: 'database' },
  ]
  const { code, json } = await check()
  assert.deepEqual([code, json()], [0, { file, database, services, removed: ['c'] }])
  const { out } = await onTerminal('config', 'check', '--basedir', folder)
  assert.match(out, /^c +config, removed$/m)
  await put('e', '{}')
  const unread = await check()
  assert.deepEqual([unread.code, /service e of the database cannot/.test(unread.err)], [1, true])
  await put('e', JSON.stringify({ ...fields, path_regexp: '(' }))
  const wrong = await check()
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /in the database .*pinhole\.db: service "e": pathregexp/)
  await store.close()
  assert.equal((await check()).code, 1, 'also when no hub has it open')
  assert.deepEqual(readdirSync(folder).sort(), ['pinhole.db', 'pinhole.yaml'])
})

test('a hub that is named judges the file', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'other.yaml')
  writeFileSync(file, 'insecure: maybe\n')
  const problems = [{ text: 'insecure: must be true or false', line: 1, column: 11 }]
  const { url, calls } = await adminServer(t, {
    validateConfig: () => ({ valid: false, problems }),
  })
  const { code, err } = await onTerminal('config', 'check', file, '--hub', url, ...MACAROON)
  assert.deepEqual([code, err], [1, `${file}:1:11: insecure: must be true or false\n`])
  assert.deepEqual(calls[0]?.request, { yaml: 'insecure: maybe\n' })
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
