import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import test from 'node:test'
import { operations } from '../../src/admin/contract.ts'
import { RelayFigures } from '../../src/admin/relay-figures.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { LogLines } from '../../src/log-lines.ts'
import { openStore } from '../../src/store/store.ts'
import { Counter, Gauge, Registry } from 'prom-client'
import { adminHub } from './hub.ts'
import { openShop } from './shop.ts'

test('pool and allowances say what is there and what is used', async (t) => {
  const shop = await openShop(t)
  await shop.offer()
  await shop.offer()
  const allowances = operations.getAllowances.response.parse(
    (await shop.call('GET', '/allowances')).body,
  )
  assert.equal(allowances.per_address, 120)
  assert.equal(allowances.used_total, 2)
  assert.deepEqual(allowances.services, [{ service_name: 'paid', used: 2 }])
  const { prices } = operations.listPool.response.parse((await shop.call('GET', '/pool')).body)
  const [price] = prices
  assert.deepEqual([price?.node, price?.price_msat], ['only', '5000'])
  assert.ok((price?.target ?? 0) >= 4)
})

test('the relay is shown with its rates and the command for a session through it', async (t) => {
  const none = await openShop(t)
  const { body: off } = await none.call('GET', '/relay')
  assert.deepEqual([off.enabled, off.boxes, off.litd_command], [false, 0, ''])
  const shop = await openShop(t, { hashmail: { enabled: true }, servername: 'hub.example' })
  const relay = operations.getRelay.response.parse((await shop.call('GET', '/relay')).body)
  assert.deepEqual([relay.enabled, relay.boxes, relay.bytes_per_second], [true, 0, 0])
  assert.match(relay.litd_command, /^litcli sessions add .*--mailboxserveraddr hub.example:443 /s)
  assert.match(relay.litd_command, /--uri \/lnrpc.Lightning\/AddInvoice/)
})

test('litd is told to take the certificate that a hub with a name has made itself', async (t) => {
  const values = { insecure: false, hashmail: { enabled: true }, servername: 'hub.example' }
  const { url, macaroon } = await adminHub(t, values)
  const headers = { 'Grpc-Metadata-Macaroon': macaroon }
  const text = await new Promise<string>((resolve, reject) => {
    https
      .get(`${url}/api/admin/relay`, { headers, rejectUnauthorized: false }, (res) => {
        let body = ''
        res.on('data', (chunk: Buffer) => (body += chunk.toString()))
        res.on('end', () => resolve(body))
      })
      .on('error', reject)
  })
  const { litd_command: command } = operations.getRelay.response.parse(JSON.parse(text))
  assert.match(command, /--mailboxserveraddr hub.example:\d+ /)
  assert.match(command, /--devserver/)
})

test('rates are those of the last seconds, whoever asks', async () => {
  const clock = new ManualClock()
  const registry = new Registry()
  const registers = [registry]
  const messages = new Counter({ name: 'pinhole_relay_messages_total', help: '-', registers })
  const refusals = new Counter({
    name: 'pinhole_relay_refusals_total',
    help: '-',
    labelNames: ['code'],
    registers,
  })
  new Gauge({ name: 'hashmail_mailbox_count', help: '-', registers }).set(3)
  const figures = new RelayFigures(registry, clock)
  messages.inc(100)
  refusals.inc({ code: 'ERR_BOX_LIMIT' }, 2)
  const first = figures.read()
  while (clock.next() === undefined) await new Promise(setImmediate)
  messages.inc(5)
  clock.advance(250)
  const reading = await first
  assert.deepEqual(
    [reading.boxes, reading.messages_per_second, reading.refusals],
    [3, 20, { ERR_BOX_LIMIT: 2 }],
  )
  clock.advance(4_750)
  messages.inc(45)
  assert.equal((await figures.read()).messages_per_second, 10)
})

test('the newest lines of the log are kept without secrets, and no more than a bound', async (t) => {
  const shop = await openShop(t)
  await shop.call('PUT', '/services/paid', { price: 6 })
  await shop.call('PUT', '/services/paid', { price: 7, dry_run: true })
  const { lines } = operations.listLogs.response.parse((await shop.call('GET', '/logs')).body)
  const [called, ...others] = lines.filter(({ part }) => part === 'admin')
  assert.deepEqual(others, [], 'a dry run is no action')
  assert.deepEqual(
    [called?.text, called?.fields['operation']],
    ['the admin API was called', 'updateService'],
  )
  const few = operations.listLogs.response.parse((await shop.call('GET', '/logs?limit=1')).body)
  assert.equal(few.lines.length, 1)
  assert.equal((await shop.call('GET', '/logs?level=loud')).status, 400)

  const kept = new LogLines(new ManualClock(), false)
  const log = kept.beside(silentLog).child({ part: 'node', phrase: 'ten words' })
  log.debug({}, 'not kept')
  log.info({ macaroon: 'hush', msat: 5n, error: new Error('why') }, 'kept')
  log.warn({ long: 'x'.repeat(10_000) }, 'y'.repeat(10_000))
  const [long, first, ...rest] = kept.list('debug', 10)
  assert.deepEqual(rest, [])
  assert.deepEqual([first?.part, first?.level, first?.text], ['node', 'info', 'kept'])
  assert.ok(!first?.fields.includes('hush') && !first?.fields.includes('ten words'))
  assert.match(first?.fields ?? '', /"msat":"5".*"message":"why"/)
  assert.ok((long?.fields.length ?? Infinity) < 5_000 && long?.text.length === 2_000)
  assert.equal(kept.list('warn', 10).length, 1)
  for (let n = 0; n < 10_000; n++) log.info({}, 'again')
  assert.ok(kept.list('debug', 100_000).length < 4_000)
})

test('a backup is a database of its own that its owner alone may read', async (t) => {
  const shop = await openShop(t)
  const offer = await shop.buy()
  const drawn = await shop.call('POST', '/backup')
  const { file, bytes } = operations.backup.response.parse(drawn.body)
  const folder = path.join(shop.basedir, 'backups')
  assert.equal(path.dirname(file), folder)
  assert.match(path.basename(file), /^pinhole-2[\dTZ-]+\.db$/)
  assert.deepEqual([statSync(file).mode & 0o777, statSync(folder).mode & 0o777], [0o600, 0o700])
  assert.equal(statSync(file).size, bytes)
  const both = await Promise.all([shop.call('POST', '/backup'), shop.call('POST', '/backup')])
  assert.deepEqual(both[0].body, both[1].body)
  assert.equal(readdirSync(folder).length, 2)
  const copy = openStore(file)
  t.after(() => copy.close())
  const [sale] = copy.transactions.list({ search: offer.tokenId })
  assert.equal(sale?.state, 'settled')
  await assert.rejects(copy.backup(file), { code: 'ERR_STORE_OPEN' })
  assert.equal(statSync(file).size, bytes, 'what is there stays')
})
