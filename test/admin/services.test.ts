import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { operations } from '../../src/admin/contract.ts'
import { adminHub } from './hub.ts'

const WEATHER = { name: 'weather', address: '127.0.0.1:9', path_regexp: '^/weather', price: '5' }

test('a hub that has nothing but its admin API gets its first service while it runs', async (t) => {
  const upstream = http.createServer((request, response) => response.end(request.headers['x-key']))
  upstream.listen(0, '127.0.0.1')
  t.after(() => upstream.close().closeAllConnections())
  await new Promise((resolve) => upstream.once('listening', resolve))
  const { port } = upstream.address() as AddressInfo
  const { call, url } = await adminHub(t)

  assert.equal((await fetch(`${url}/weather`)).status, 404)
  const address = `127.0.0.1:${port}`
  const open = { ...WEATHER, address, auth: 'off', headers: { 'X-Key': 'hush' } }
  const made = await call('POST', '/services', open)
  assert.equal(made.status, 200)
  assert.deepEqual(made.body.headers, { 'X-Key': '(hidden)' })
  assert.equal(await (await fetch(`${url}/weather`)).text(), 'hush')

  const kept = await call('PUT', '/services/weather', { headers: { 'X-Key': '(hidden)' } })
  assert.equal(kept.status, 200)
  assert.equal(await (await fetch(`${url}/weather`)).text(), 'hush')

  assert.equal((await call('PUT', '/services/weather', { auth: 'on' })).status, 200)
  assert.equal((await fetch(`${url}/weather`)).status, 503)

  assert.deepEqual((await call('DELETE', '/services/weather')).body, { status: 'deleted' })
  assert.equal((await fetch(`${url}/weather`)).status, 404)
})

test('every field of a service comes back after a restart, and so does each price', async (t) => {
  const first = await adminHub(t)
  const all = {
    ...WEATHER,
    constraints: { tier: 'gold' },
    headers: { 'X-Key': 'hush' },
    rate_limits: [{ path_regexp: '^/weather/now', requests: 3, per_ms: 1_000, burst: 4 }],
    timeouts: { connect_ms: 1, header_ms: 2, body_ms: 3, idle_ms: 4 },
    rewrite_prefix: '/v1',
    auth: 'Freebie 3',
    timeout: 60,
    auth_whitelist_paths: ['^/weather/free$'],
  }
  const { body: made } = await first.call('POST', '/services', all)
  await first.call('PUT', '/services/weather', { price: 7 })
  await first.hub.close()

  const { call } = await adminHub(t, {}, first.basedir)
  const { body: after } = await call('GET', '/services/weather')
  assert.equal(made.auth, 'freebie 3')
  assert.deepEqual({ ...after, updated_at: '' }, { ...made, price: '7', updated_at: '' })
  const { body } = await call('GET', '/services/weather/prices')
  const { prices } = operations.listPrices.response.parse(body)
  assert.deepEqual(
    prices.map(({ price, by }) => [price, by]),
    [
      ['7', 'admin'],
      ['5', 'admin'],
    ],
  )
})

test('a service of the file that was removed stays away, its place is kept when it was changed', async (t) => {
  const services = [
    { name: 'a', address: 'a:1' },
    { name: 'b', address: 'b:1', price: 3 },
    { name: 'c', address: 'c:1' },
  ]
  const first = await adminHub(t, { services })
  await first.call('POST', '/services', { name: 'd', address: 'd:1' })
  await first.call('PUT', '/services/b', { price: '4' })
  await first.call('DELETE', '/services/a')
  await first.hub.close()
  const { call } = await adminHub(t, { services }, first.basedir)
  const { body } = await call('GET', '/services')
  assert.ok(Array.isArray(body.services))
  assert.deepEqual(
    body.services.map(({ name, source }) => `${name} ${source}`),
    ['b database', 'c config', 'd database'],
  )
})

const REFUSED: readonly (readonly [body: Record<string, unknown>, message: string])[] = [
  [{}, 'name is required'],
  [{ ...WEATHER, name: '..' }, 'name cannot be ..'],
  [{ ...WEATHER, price: 1.5 }, 'price: must be a whole number'],
  [
    { ...WEATHER, price: '9007199254740993' },
    'price: must be a whole number from 0 to 10000000000000, not 9007199254740993',
  ],
  [{ name: 'x' }, 'address is required'],
  [{ name: 'x', address: 'a:1', protocol: 'ftp' }, `protocol must be 'http' or 'https', got "ftp"`],
  [
    { name: 'x', address: 'a:1', host_regexp: 'a'.repeat(1_025) },
    'host_regexp exceeds max length 1024',
  ],
  [{ name: 'x', address: 'a:1', price: -1 }, 'price must be >= 0'],
  [
    { name: 'x', address: 'a:1', auth: 'maybe' },
    `invalid auth level "maybe", must be 'on', 'off', or 'freebie N'`,
  ],
  [
    { name: 'x', address: 'a:1', auth: 'freebie 0' },
    'invalid freebie count, must be a positive integer',
  ],
  [{ name: 'x', address: 'a:1', hostregexp: '.*' }, 'unknown field "hostregexp"'],
]

test('what is wrong is refused in the words of Aperture, and changes nothing', async (t) => {
  const { call } = await adminHub(t)
  for (const [body, message] of REFUSED) {
    const drawn = await call('POST', '/services', body)
    assert.equal(drawn.status, 400, message)
    assert.equal(drawn.body.code, 3)
    assert.equal(drawn.body.message, message)
  }
  assert.deepEqual((await call('GET', '/services')).body, { services: [] })
  assert.equal((await call('POST', '/services', WEATHER)).status, 200)
  assert.equal((await call('POST', '/services', WEATHER)).status, 409)
  assert.equal((await call('PUT', '/services/other', { price: 1 })).status, 404)
  assert.equal((await call('DELETE', '/services/other')).status, 404)
  assert.equal((await call('PUT', '/services/weather', { address: 'http://a/b' })).status, 400)
  assert.equal(
    (await call('PUT', '/services/weather', { price: 9, dry_run: true })).body.price,
    '9',
  )
  assert.equal((await call('GET', '/services/weather')).body.price, '5')
})
