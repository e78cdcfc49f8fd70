/** The admin API and the console on a port of their own: there, and nowhere else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { createAdminClient } from '../../src/admin/client.ts'
import { CONSOLE_HEADER } from '../../src/admin/session-routes.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { createHub, loadConfig } from '../../src/index.ts'
import { openShop } from './shop.ts'

const OWN_PORT = { admin: { enabled: true, listenaddr: '127.0.0.1:0' } }
const CONSOLE = [
  '/_pinhole',
  '/_pinhole/',
  '/_pinhole/session',
  '/_pinhole/mcp',
  '/_pinhole/metrics',
]
const API = ['/api/admin/info', '/api/admin/health', '/api/admin/openapi.json', '/api/admin']

test('the port of what is sold has nothing of it, whatever a service matches', async (t) => {
  const { hub, url, macaroon } = await openShop(t, { ...OWN_PORT }, {})
  const admin = hub.adminAddress ?? ''
  assert.notEqual(admin, url)
  const client = createAdminClient(admin, macaroon)
  await client.createService({
    name: 'all',
    address: '127.0.0.1:1',
    path_regexp: '.*',
    auth: 'off',
  })
  const headers = { 'grpc-metadata-macaroon': macaroon, 'content-type': 'application/grpc' }
  for (const at of [...CONSOLE, ...API, '/adminrpc.Admin/GetInfo']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const body = method === 'POST' ? 'x' : null
      const { status } = await fetch(url + at, { method, headers, body })
      assert.equal(status, 404, `${method} ${at}`)
    }
  }
  // What is sold is there, and health on both.
  assert.equal((await fetch(`${url}/paid`)).status, 402)
  for (const one of [url, admin]) {
    assert.equal((await fetch(`${one}/_pinhole/health`)).status, 200)
  }
})

test('its own port has all of it, and nothing that is sold', async (t) => {
  const { hub, macaroon } = await openShop(t, OWN_PORT)
  const admin = hub.adminAddress ?? ''
  const client = createAdminClient(admin, macaroon)
  assert.equal((await client.listServices()).services.length, 1)
  assert.equal((await fetch(`${admin}/paid`)).status, 404)
  // From source there may be no build of the console; what stands for it says so.
  assert.ok([200, 503].includes((await fetch(`${admin}/_pinhole/`)).status))
  const { findings } = await client.runDoctor()
  const ports = findings.filter(({ check }) => check === 'ports')
  assert.ok(ports.some(({ level, text }) => level === 'ok' && text.includes(admin)))
})

test('a session of its origin is none of the other’s', async (t) => {
  const { hub, url, macaroon } = await openShop(t, OWN_PORT)
  const admin = hub.adminAddress ?? ''
  const own = { origin: admin, [CONSOLE_HEADER]: '1', 'content-type': 'application/json' }
  const opened = await fetch(`${admin}/_pinhole/session`, {
    method: 'POST',
    headers: own,
    body: JSON.stringify({ macaroon }),
  })
  assert.equal(opened.status, 200)
  const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';')
  const ask = async (headers: Readonly<Record<string, string>>) =>
    (await fetch(`${admin}/api/admin/info`, { headers: { cookie, ...headers } })).status
  assert.equal(await ask({ 'sec-fetch-site': 'same-origin' }), 200)
  // As a browser says it of a script of the other port's page: the same host is the same site.
  assert.equal(await ask({ 'sec-fetch-site': 'same-site', origin: url }), 403)
})

test('a port that is taken is told of by its key, and the hub does not start', async (t) => {
  const { hub, basedir } = await openShop(t)
  const taken = new URL(hub.address ?? '').host
  const values = {
    listenaddr: '127.0.0.1:0',
    insecure: true,
    admin: { enabled: true, listenaddr: taken },
  }
  const folder = path.join(basedir, 'other')
  const other = createHub(loadConfig({ basedir: folder, configfile: false, values }))
  await assert.rejects(other.listen(), (reason) => {
    return (
      isPinholeError(reason, 'ERR_LISTEN_ADDRESS') && reason.message.startsWith('admin.listenaddr')
    )
  })
  assert.equal(other.address, undefined)
})

test('both ports have one certificate, and streams end with the hub', async (t) => {
  const { hub, basedir, macaroon } = await openShop(t, { ...OWN_PORT, insecure: false })
  const ca = readFileSync(path.join(basedir, 'tls.cert'), 'utf8')
  const client = createAdminClient(hub.adminAddress ?? '', macaroon, { ca })
  const events = client.streamEvents({})[Symbol.asyncIterator]()
  const next = events.next().catch((reason: unknown) => reason)
  assert.equal((await client.getInfo()).insecure, false)
  await hub.close()
  await next
  assert.equal(hub.adminAddress, undefined)
})
