import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { adminHub } from '../admin/hub.ts'
import { onTerminal, pinhole } from './pinhole.ts'

async function setUp(t: TestContext) {
  const { url, macaroon, call } = await adminHub(t)
  const flags = ['--hub', url, '--macaroon', macaroon]
  const service = (...args: readonly string[]) => pinhole('service', ...args, ...flags)
  const terminal = (...args: readonly string[]) => onTerminal('service', ...args, ...flags)
  return { service, terminal, call }
}

const WEATHER = ['add', 'weather', '--address', 'localhost:9000', '--path-regexp', '^/weather/.*$']

type Fields = Readonly<Record<string, unknown>>

test('a service is added, shown, changed and removed', async (t) => {
  const { service, terminal } = await setUp(t)
  assert.deepEqual((await service('list')).json(), { services: [] })
  assert.match((await terminal('list')).err, /Nothing is sold yet/)

  const added = await service(...WEATHER, '--price', '10')
  assert.equal(added.code, 0, added.err)
  assert.equal((added.json() as Fields)['price'], '10')
  assert.match(
    (await terminal('list')).out,
    /^name {5}sats +auth +path +upstream +from\nweather +10 +on +\^\/weather\/\.\*\$ +http:\/\/localhost:9000 +database\n$/,
  )
  assert.match((await terminal('show', 'weather')).out, /^timeouts\.idle_ms {2}60000$/m)

  const changed = await terminal('set', 'weather', '--price', '20', '--idle-timeout', '5s')
  assert.equal(changed.code, 0, changed.err)
  assert.match(changed.out, /^price +10 +20\n/m)
  assert.match(changed.out, /^timeouts\.idle_ms +60000 +5000\n/m)
  const { prices } = (await service('prices', 'weather')).json() as { prices: Fields[] }
  assert.deepEqual(
    prices.map(({ price }) => price),
    ['20', '10'],
  )

  assert.deepEqual((await service('remove', 'weather')).json(), { removed: 'weather' })
  assert.equal((await service('show', 'weather')).code, 5)
})

test('--dry-run shows what would be, ends with 10 and changes nothing', async (t) => {
  const { service, terminal } = await setUp(t)
  const added = await service(...WEATHER, '--price', '10', '--dry-run')
  assert.equal(added.code, 10)
  assert.equal((added.json() as Fields)['name'], 'weather')
  assert.deepEqual((await service('list')).json(), { services: [] })

  await service(...WEATHER, '--price', '10')
  const changed = await terminal('set', 'weather', '--price', '11', '--dry-run')
  assert.deepEqual([changed.code, changed.out], [10, 'field  before  after\nprice  10      11\n'])
  const removed = await service('remove', 'weather', '--dry-run')
  assert.deepEqual([removed.code, removed.json()], [10, { would_remove: 'weather' }])
  assert.equal(((await service('show', 'weather')).json() as Fields)['price'], '10')
  assert.equal((await service('remove', 'nothing', '--dry-run')).code, 5)
})

test('every field has a flag', async (t) => {
  const { service } = await setUp(t)
  const before = await service(
    ...[...WEATHER, '--protocol', 'h2c', '--host-regexp', '^a\\.example$', '--price', '3'],
    ...['--auth', 'freebie 3', '--auth-scheme', 'l402', '--timeout', '30d', '--node', ''],
    ...['--capabilities', 'read', '--constraint', 'region=eu', '--header', 'X-Key=a=b'],
    ...['--header', 'X-Other=1', '--free-path', '^/free$', '--skip-invoice-path', '^/stream$'],
    ...['--rate-limit', '10/1s burst 20 ^/weather/.*$', '--rate-limit', '5/1m'],
    ...['--rewrite-prefix', '/v1', '--forward-credential', '--forward-options', 'true'],
    ...['--upstream-insecure', '--connect-timeout', '1s', '--header-timeout', '2s'],
    ...['--body-timeout', '3s'],
  )
  assert.equal(before.code, 0, before.err)
  const fields = before.json() as Fields
  assert.deepEqual(fields, {
    name: 'weather',
    address: 'localhost:9000',
    protocol: 'h2c',
    host_regexp: '^a\\.example$',
    path_regexp: '^/weather/.*$',
    price: '3',
    auth: 'freebie 3',
    auth_scheme: 'AUTH_SCHEME_L402',
    timeout: 30 * 86_400,
    capabilities: 'read',
    constraints: { region: 'eu' },
    headers: { 'X-Key': '(hidden)', 'X-Other': '(hidden)' },
    auth_whitelist_paths: ['^/free$'],
    auth_skip_invoice_creation_paths: ['^/stream$'],
    rate_limits: [
      { path_regexp: '^/weather/.*$', requests: 10, per_ms: 1_000, burst: 20 },
      { path_regexp: '', requests: 5, per_ms: 60_000, burst: 0 },
    ],
    rewrite_prefix: '/v1',
    node: '',
    forward_credential: true,
    forward_options: true,
    tls_cert_path: '',
    tls_insecure: true,
    timeouts: { connect_ms: 1_000, header_ms: 2_000, body_ms: 3_000, idle_ms: 60_000 },
    dynamic_price: {
      enabled: false,
      grpc_address: '',
      insecure: false,
      tls_cert_path: '',
      metered: false,
      usage_tail_bytes: 16_384,
    },
    source: 'database',
    updated_at: fields['updated_at'],
  })
  const after = await service(
    ...['set', 'weather', '--header', 'X-Other=', '--header', 'X-New=1', '--free-path', ''],
    ...['--rate-limit', '', '--constraint', 'tier=2', '--forward-options', 'false'],
    ...['--dynamic-price-tail', '9'],
  )
  assert.equal(after.code, 0, after.err)
  const now = after.json() as Fields
  assert.deepEqual(now['headers'], { 'X-Key': '(hidden)', 'X-New': '(hidden)' })
  assert.deepEqual(now['constraints'], { region: 'eu', tier: '2' })
  assert.deepEqual([now['auth_whitelist_paths'], now['rate_limits']], [[], []])
  assert.equal(now['forward_options'], false)
  assert.equal((now['dynamic_price'] as Fields)['usage_tail_bytes'], 9)
  assert.equal((now['timeouts'] as Fields)['connect_ms'], 1_000)
})

test('an empty pattern is every path and host, also of a service that had another', async (t) => {
  const { service } = await setUp(t)
  await service(...WEATHER, '--host-regexp', '^api[.]', '--price', '1')
  const set = await service('set', 'weather', '--path-regexp', '', '--host-regexp', '')
  assert.equal(set.code, 0, set.err)
  const { path_regexp: path, host_regexp: host } = set.json() as Fields
  assert.deepEqual([path, host], ['.*', '.*'])
})

test('what is wrong is said by the flag or by the hub, and ends with 2', async (t) => {
  const { service } = await setUp(t)
  for (const [flags, said] of [
    [['--price', '-1'], /whole number/],
    [['--rate-limit', 'often'], /such as "10\/1s/],
    [['--header', 'X-Key'], /NAME=TEXT/],
    [['--forward-options', 'maybe'], /true or false/],
    [['--timeout', 'soon'], /30d/],
    [['--protocol', 'gopher'], /http, https, h2c/],
    [['--auth', 'perhaps'], /invalid auth level/],
    [['--path-regexp', '('], /invalid path_regexp/],
    [['--address', ''], /cannot be empty/],
    [['--auth', ''], /cannot be empty/],
  ] as const) {
    const { code, err } = await service(...WEATHER, ...flags)
    assert.equal(code, 2, flags.join(' '))
    assert.match(err, said)
  }
  await service(...WEATHER, '--price', '1')
  assert.match((await service('set', 'weather')).err, /say what to change/)
  assert.equal((await service('add', 'weather', '--address', 'a:1', '--path-regexp', '/')).code, 1)
})
