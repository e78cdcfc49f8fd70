import assert from 'node:assert/strict'
import test from 'node:test'
import { operations } from '../../src/admin/contract.ts'
import { exportYaml } from '../../src/config/export.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openShop, type Shop } from './shop.ts'

const exported = async ({ url, macaroon }: Shop): Promise<string> => {
  const headers = { 'Grpc-Metadata-Macaroon': macaroon }
  return (await fetch(`${url}/api/admin/config`, { headers })).text()
}

test('the configuration is written out with its services, without secrets, and loads again', async (t) => {
  const shop = await openShop(t, {
    draintimeout: '3s',
    postgres: { password: 'hush', host: 'db' },
    limits: { headerbytes: '64KiB' },
    invoices: { expiry: '2h' },
  })
  process.env.PINHOLE_TEST_KEY = 'hush'
  t.after(() => delete process.env.PINHOLE_TEST_KEY)
  const headers = { 'X-Key': 'hush', 'X-Other': 'Bearer ${PINHOLE_TEST_KEY}' }
  const rate_limits = [{ path_regexp: '^/x', requests: 3, per_ms: 1_500 }]
  const more = { headers, rate_limits, auth: 'freebie 3', timeout: 60, constraints: { tier: 'a' } }
  assert.equal((await shop.call('PUT', '/services/paid', more)).status, 200)
  const yaml = await exported(shop)
  assert.ok(!yaml.includes('hush'), yaml)
  for (const span of ['draintimeout: 3s', 'expiry: 2h', 'per: 1.5s'])
    assert.ok(yaml.includes(span), yaml)
  const { basedir } = shop
  const load = (text: string) => loadConfig({ configfile: false, basedir, text })
  assert.throws(() => load(yaml), {
    code: 'ERR_CONFIG_VALUE',
    message:
      /^pinhole\.yaml:\d+:14: services\[0\]\.headers\.X-Key: is \(hidden\), which stands for a value/,
  })
  const invalid = await shop.call('POST', '/config/validate', { yaml })
  assert.equal(invalid.body.valid, false)
  const given = yaml.replace('X-Key: (hidden)', 'X-Key: given')
  const again = load(given)
  const { draintimeout, limits, invoices, services, postgres } = again
  assert.deepEqual(
    [draintimeout, limits.headerbytes, invoices.expiry, postgres.host, postgres.password],
    [3_000, 65_536, 7_200_000, 'db', ''],
  )
  const [service] = services
  assert.deepEqual(service?.headers, { ...headers, 'X-Key': 'given' })
  assert.deepEqual(service?.auth, { level: 'freebie', free: 3 })
  assert.deepEqual(service?.ratelimits[0]?.per, 1_500)
  assert.equal(exportYaml(again), yaml)
  const drawn = await shop.call('POST', '/config/validate', { yaml: given })
  assert.deepEqual(drawn.body, { valid: true, problems: [] })
})

test('everything that is wrong is named with its line and column', async (t) => {
  const shop = await openShop(t)
  const problems = async (yaml: string) => {
    const { status, body } = await shop.call('POST', '/config/validate', { yaml })
    assert.equal(status, 200)
    const read = operations.validateConfig.response.parse(body)
    assert.equal(read.valid, read.problems.length === 0)
    return read.problems
  }
  assert.deepEqual(await problems(''), [])
  const wrong = await problems('insecure: maybe\nhashmial: {}\n')
  assert.deepEqual(
    wrong.map(({ line, column }) => [line, column]),
    [
      [1, 11],
      [2, 1],
    ],
  )
  assert.match(wrong[1]?.text ?? '', /hashmial: unknown key; did you mean "?hashmail/)
  const [pattern] = await problems(
    'services:\n  - name: a\n    address: b:1\n    pathregexp: "("\n',
  )
  assert.equal(pattern?.line, 4)
  assert.equal((await problems('a: [')).length > 0, true)
  const file = 'services: [{ name: a, address: b:1, protocol: https, tlscertpath: /etc/shadow }]'
  assert.deepEqual(await problems(file), [], 'no file is opened')
  assert.equal((await shop.call('POST', '/config/validate', { yaml: 5 })).status, 400)
})

test('a configuration is judged with the services of the database, of this one alone', async (t) => {
  const shop = await openShop(t)
  const problems = async (yaml: string) => {
    const { body } = await shop.call('POST', '/config/validate', { yaml })
    return operations.validateConfig.response.parse(body).problems
  }
  const made = { name: 'made', address: '127.0.0.1:9', headers: { 'X-Key': '${PINHOLE_TEST_DB}' } }
  process.env.PINHOLE_TEST_DB = 'hush'
  t.after(() => delete process.env.PINHOLE_TEST_DB)
  assert.equal((await shop.call('POST', '/services', made)).status, 200)
  assert.deepEqual(await problems('insecure: true'), [])
  // As after a start without it.
  delete process.env.PINHOLE_TEST_DB
  const [problem, ...others] = await problems('insecure: true')
  assert.match(problem?.text ?? '', /^with the services of the database: .*made.*PINHOLE_TEST_DB/s)
  assert.deepEqual([others, problem?.line], [[], 1])
  assert.deepEqual(await problems('sqlite: { databasefilename: /elsewhere/pinhole.db }'), [])
  // One of the same name in the file gives way to that of the database.
  const same = 'services: [{ name: made, address: b:1 }]'
  assert.equal((await problems(same)).length, 1)
})
