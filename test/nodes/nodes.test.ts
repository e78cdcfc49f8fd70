import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { create } from '@bufbuild/protobuf'
import { InvoiceSchema } from '../../mailbox/rpc/gen/lightning_pb.ts'
import { memoryStore } from '../../mailbox/pairing/pairing.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import type { HubNode } from '../../src/nodes/hub-node.ts'
import type { Nodes } from '../../src/nodes/nodes.ts'
import { openPairing, sealPairing } from '../../src/nodes/sealed-store.ts'
import { READ_ONLY } from '../../src/sandbox/authorization.ts'
import { SimulatedNetwork } from '../../src/sandbox/payments.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { until } from '../mailbox/ends.ts'
import { moment } from '../moment.ts'
import { authenticator, ready, recordingLog, setUpNode } from './setup.ts'

const TERMS = { amountMsat: 21_000n, memo: 'L402', expirySeconds: 600, timeoutMs: 10_000 }

/** An example of BOLT 11. */
const COFFEE =
  'lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh'

const first = (nodes: Nodes): HubNode => nodes.get(undefined) ?? assert.fail('no node')

test('the phrase of the configuration pairs; later starts go on by keys, the phrase long gone', async (t) => {
  const { session, nodes, pairing, rows, secret } = await setUpNode(t)
  const store = memoryStore()
  const { phrase } = await session(store)
  const starting = await nodes({ authenticator: pairing(phrase) })
  const node = first(starting)
  assert.equal(node.name, 'default')
  const made = await (await ready(node)).addInvoice(TERMS)
  assert.match(made.paymentRequest, /^ln/)
  assert.deepEqual([made.paymentHash.length, made.addIndex], [32, 1n])
  await until(() => rows.get('default')?.alias === 'Bob')
  const row = rows.get('default') ?? assert.fail('no row')
  assert.match(row.pubkey ?? '', /^0[23][0-9a-f]{64}$/)
  assert.equal(row.network, 'regtest')
  await starting.close()
  assert.equal(node.state, 'away')
  await assert.rejects(node.addInvoice(TERMS), { code: 'ERR_NODE_OFFLINE', message: /was closed/ })

  const { pairing: kept } = await openPairing(row, secret)
  const shown = toHex(row.sealed)
  for (const key of [kept.localKey, kept.remoteKey ?? assert.fail('no key of the node')]) {
    assert.ok(!shown.includes(toHex(key).slice(0, 16)))
    assert.ok(!shown.includes(toHex(utf8(toHex(key).slice(0, 16)))))
  }

  const again = await nodes({ authenticator: pairing(phrase) })
  assert.equal((await (await ready(first(again))).addInvoice(TERMS)).addIndex, 2n)
  await again.close()
  const stored = rows.get('default') ?? assert.fail('no row')
  assert.equal((await openPairing(stored, secret)).pairing.phrase, undefined)

  // Without the keys in the configuration it is still there.
  const third = await nodes()
  assert.equal((await (await ready(first(third))).addInvoice(TERMS)).addIndex, 3n)
})

test('nothing secret is logged', async (t) => {
  const { session, nodes, pairing, rows, secret, simulated } = await setUpNode(t)
  const { phrase = '' } = await session()
  const { log, lines } = recordingLog()
  const running = await nodes({ authenticator: pairing(phrase), log })
  await (await ready(first(running))).addInvoice(TERMS)
  await until(() => rows.get('default')?.alias === 'Bob')
  const { pairing: kept } = await openPairing(rows.get('default') ?? assert.fail(), secret)
  await running.close()
  assert.ok(lines.some((line) => line.startsWith('the node is connected')))
  const logged = lines.join('\n').toLowerCase()
  for (const word of phrase.split(' ').slice(0, 3)) {
    assert.ok(!new RegExp(`\\b${word}\\b.*\\b${phrase.split(' ')[9]}\\b`).test(logged), word)
  }
  assert.ok(!logged.includes(toHex(kept.localKey)))
  assert.ok(!logged.includes(simulated.adminMacaroon))
})

test('opens at once with the node away, and says so; connects when it comes', async (t) => {
  const { session, nodes, pairing, relay } = await setUpNode(t)
  const store = memoryStore()
  const listener = await session(store)
  const { phrase } = listener
  await listener.close()
  const running = await nodes({ authenticator: pairing(phrase) })
  const node = first(running)
  assert.equal(node.state, 'connecting')
  const waiting = node.addInvoice(TERMS)
  await assert.rejects(waiting, {
    code: 'ERR_NODE_OFFLINE',
    message: /node default is away: .*box/,
  })
  assert.equal(node.state, 'away')
  assert.equal(node.reason?.code, 'ERR_SESSION_NOT_FOUND')
  const refused = assert.rejects(node.addInvoice(TERMS), { code: 'ERR_NODE_OFFLINE' })
  const waits = moment().then(() => assert.fail('a node that is away is not waited for'))
  await Promise.race([refused, waits])
  await relay.kill()
  await until(() => node.reason?.code === 'ERR_RELAY_UNREACHABLE')
  await relay.start()
  let ready = 0
  node.onReady(() => ready++)
  await session(store)
  await until(() => node.state === 'ready')
  assert.equal(ready, 1)
  assert.ok(await node.addInvoice(TERMS))
})

test('a node that dies and comes back is met again; the stream ends and goes on from its indexes', async (t) => {
  const { session, nodes, pairing, simulated } = await setUpNode(t)
  const store = memoryStore()
  const listener = await session(store)
  const running = await nodes({ authenticator: pairing(listener.phrase) })
  const node = first(running)
  const one = await (await ready(node)).addInvoice(TERMS)
  const stop = new AbortController()
  const none = { addIndex: 0n, settleIndex: 0n }
  const events = node.subscribeInvoices(none, stop.signal)[Symbol.asyncIterator]()
  const next = events.next()
  await node.lookupInvoice(one.paymentHash)
  simulated.invoices.settle(toHex(one.paymentHash), 21_000n)
  const { value: settled } = await next
  assert.ok(settled)
  assert.equal(settled.settled, true)
  assert.deepEqual([settled.addIndex, settled.settleIndex], [1n, 1n])
  assert.ok(Math.abs(settled.settledAtMs - Date.now()) < 10_000)

  const two = await (await ready(node)).addInvoice(TERMS)
  assert.equal((await events.next()).value?.settled, false)
  const ended = assert.rejects(
    async () => {
      await events.next()
      assert.fail('the stream went on')
    },
    { name: 'PinholeError' },
  )
  await listener.close()
  await ended
  simulated.invoices.settle(toHex(two.paymentHash), 21_000n)
  assert.notEqual(node.state, 'ready')
  await assert.rejects(node.subscribeInvoices(none, stop.signal)[Symbol.asyncIterator]().next(), {
    code: 'ERR_NODE_OFFLINE',
  })
  await session(store)
  await until(() => node.state === 'ready')
  const indexes = { addIndex: 2n, settleIndex: 1n }
  const missed = node.subscribeInvoices(indexes, stop.signal)[Symbol.asyncIterator]()
  const { value: late } = await missed.next()
  assert.deepEqual(late?.paymentHash, two.paymentHash)
  assert.equal(late?.settled, true)
  const aborted = assert.rejects(missed.next(), { name: 'AbortError' })
  stop.abort()
  await aborted
})

test('what the node knows of an invoice: its state, and the preimage of a settled one alone', async (t) => {
  const { session, nodes, pairing, simulated } = await setUpNode(t)
  const running = await nodes({ authenticator: pairing((await session()).phrase) })
  const node = first(running)
  const { paymentHash } = await (await ready(node)).addInvoice(TERMS)
  assert.deepEqual(await node.lookupInvoice(paymentHash), { state: 'open', preimage: undefined })
  const { rPreimage } = simulated.invoices.settle(toHex(paymentHash), 21_000n)
  const status = await node.lookupInvoice(paymentHash)
  assert.equal(status?.state, 'settled')
  assert.deepEqual(toHex(status?.preimage ?? new Uint8Array()), toHex(rPreimage))
  const cancelled = simulated.invoices.add(create(InvoiceSchema, { value: 1n }))
  simulated.invoices.cancel(toHex(cancelled.rHash))
  assert.equal((await node.lookupInvoice(cancelled.rHash))?.state, 'canceled')
  assert.equal(await node.lookupInvoice(new Uint8Array(32)), undefined)
})

test('several nodes by name, the configured one first; a refresh takes in and lets go', async (t) => {
  const { session, nodes, pairing, rows, paired } = await setUpNode(t)
  await paired('carol', 1)
  await paired('alice', 2)
  const { phrase } = await session()
  const running = await nodes({ authenticator: pairing(phrase) })
  const names = () => running.all().map(({ name }) => name)
  assert.deepEqual(names(), ['default', 'carol', 'alice'])
  assert.equal(running.get(undefined)?.name, 'default')
  const alice = running.get('alice') ?? assert.fail('no alice')
  for (const node of running.all()) assert.ok(await (await ready(node)).addInvoice(TERMS))

  await paired('dave', 3)
  await rows.remove('carol')
  const carol = running.get('carol')
  await running.refresh()
  assert.deepEqual(names(), ['default', 'alice', 'dave'])
  assert.equal(running.get('alice'), alice, 'what has not changed stays connected')
  assert.deepEqual([alice.state, carol?.state], ['ready', 'away'])
  assert.ok(await (await ready(running.get('dave'))).addInvoice(TERMS))

  await rows.remove('alice')
  await paired('alice', 4)
  await running.refresh()
  assert.notEqual(running.get('alice'), alice, 'another pairing of the same name')
  assert.ok(await (await ready(running.get('alice'))).addInvoice(TERMS))
})

test('a pairing that a killed command has left under two names is connected to once', async (t) => {
  const { nodes, rows, secret, paired } = await setUpNode(t)
  await paired('bob', 1)
  const row = rows.get('bob') ?? assert.fail('no row')
  const sealed = await sealPairing('pairing-1', await openPairing(row, secret), secret)
  await rows.put({ ...row, name: 'pairing-1', sealed })
  const running = await nodes()
  assert.equal(running.all().length, 1)
  assert.ok(await (await ready(first(running))).addInvoice(TERMS))
})

test('a node whose keys do not open is away and says why, until its key is back', async (t) => {
  const { nodes, rows, basedir, secret, paired } = await setUpNode(t)
  await paired('bob', 1)
  const key = path.join(basedir, 'node.key')
  const content = readFileSync(key)
  rmSync(key)
  const { log, lines } = recordingLog()
  const running = await nodes({ log })
  const bob = running.get('bob')
  await until(() => bob?.state === 'away')
  assert.equal(bob?.reason?.code, 'ERR_NODE_SECRET')
  assert.match(bob.reason.message, /keys of node bob .*node\.key.*pair it anew/)
  assert.ok(lines.some((line) => line.includes('keys of node bob')))
  const offline = { code: 'ERR_NODE_OFFLINE', message: /keys of node bob/ }
  await assert.rejects(bob.addInvoice(TERMS), offline)
  await assert.rejects(running.survey('bob'), offline)
  await running.refresh()
  assert.equal(running.get('bob'), bob, 'it stays the same node')

  writeFileSync(key, content)
  await running.refresh()
  assert.ok(await (await ready(bob)).addInvoice(TERMS))
  assert.ok(await openPairing(rows.get('bob') ?? assert.fail(), secret), 'its row is as it was')
})

test('the phrase of the configuration is no way around lost keys', async (t) => {
  const { session, nodes, pairing, rows, basedir, secret } = await setUpNode(t)
  const { phrase } = await session()
  const running = await nodes({ authenticator: pairing(phrase), secret })
  await ready(first(running))
  await running.close()
  const { sealed } = rows.get('default') ?? assert.fail('no row')
  rmSync(path.join(basedir, 'node.key'))
  for (const words of [phrase, (await session()).phrase]) {
    const again = await nodes({ authenticator: pairing(words) })
    await until(() => first(again).state === 'away')
    assert.equal(first(again).reason?.code, 'ERR_NODE_SECRET')
    assert.deepEqual(rows.get('default')?.sealed, sealed)
    await again.close()
  }
  assert.deepEqual(readdirSync(basedir), [])
})

test('what the configuration says wrongly is said at the start', async (t) => {
  const { nodes, pairing } = await setUpNode(t)
  await assert.rejects(nodes({ authenticator: pairing('one two three') }), {
    code: 'ERR_CONFIG_VALUE',
    message: /authenticator\.passphrase/,
  })
  const lndhost = authenticator({ lndhost: 'a b', tlspath: '/x', macdir: '/y' })
  await assert.rejects(nodes({ authenticator: lndhost }), {
    code: 'ERR_CONFIG_VALUE',
    message: /authenticator\.lndhost/,
  })
  const disabled = await nodes({ authenticator: authenticator({ disable: true }) })
  assert.deepEqual([disabled.all(), disabled.get(undefined)], [[], undefined])
})

test('a session that may not do it says which method is missing', async (t) => {
  const { session, nodes, pairing, simulated } = await setUpNode(t)
  const { phrase } = await session(memoryStore(), simulated.macaroons.bake(READ_ONLY))
  const running = await nodes({ authenticator: pairing(phrase) })
  await assert.rejects((await ready(first(running))).addInvoice(TERMS), {
    code: 'ERR_NODE_PERMISSION',
    message: /\/lnrpc\.Lightning\/AddInvoice/,
  })
  await assert.rejects(running.wallet(undefined).pay(COFFEE, { maxFeeMsat: 0n }), {
    code: 'ERR_NODE_PERMISSION',
    message: /\/routerrpc\.Router\/SendPaymentV2/,
  })
  assert.throws(() => running.wallet('nobody'), { code: 'ERR_NODE_UNKNOWN', message: /nobody/ })
})

test('pays over LNC, once, and waits for a node that is being connected to', async (t) => {
  const network = new SimulatedNetwork()
  const seller = createSimulatedNode({ network })
  t.after(() => seller.server.forceShutdown())
  const { session, nodes, pairing } = await setUpNode(t, { alias: 'Bob', network })
  const running = await nodes({ authenticator: pairing((await session()).phrase) })
  const { paymentRequest, rHash, rPreimage } = seller.invoices.add(
    create(InvoiceSchema, { value: 21n }),
  )
  const wallet = running.wallet('default')
  const paid = await wallet.pay(paymentRequest, { maxFeeMsat: 1_000n })
  assert.equal(toHex(paid.preimage), toHex(rPreimage))
  const again = await wallet.pay(paymentRequest, { maxFeeMsat: 1_000n })
  assert.equal(toHex(again.preimage), toHex(rPreimage), 'the payment that was made')
  assert.equal((await wallet.lookup(rHash)).name, 'paid')
  await running.close()
  await assert.rejects(wallet.pay(paymentRequest, { maxFeeMsat: 0n }), { code: 'ERR_NODE_OFFLINE' })
})
