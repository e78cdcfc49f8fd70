/** lnd reached directly: a grpc-js server with TLS in front of the simulated node. */
import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { ManualClock } from '../../src/base/clock.ts'
import { Line } from '../../src/nodes/line.ts'
import { keepLndLine } from '../../src/nodes/lnd-line.ts'
import { openNodes } from '../../src/nodes/nodes.ts'
import { nodeSecret } from '../../src/nodes/secret.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSimulatedNode, type SimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { until } from '../mailbox/ends.ts'
import { certificate } from '../mailbox/rpc/certificate.ts'
import { memoryRows } from './memory-rows.ts'
import { authenticator, folder } from './setup.ts'

const TERMS = { amountMsat: 21_000n, memo: 'L402', expirySeconds: 600, timeoutMs: 10_000 }

/** Serves `simulated` at `port`, any when 0. */
function serve(simulated: SimulatedNode, port: number): Promise<number> {
  const { key, cert } = certificate
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }
  const credentials = grpc.ServerCredentials.createSsl(null, [pair])
  return new Promise((resolve, reject) => {
    simulated.server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
}

async function setUp(t: TestContext) {
  const base = folder(t)
  const macdir = path.join(base, 'macaroons')
  mkdirSync(macdir)
  const tlspath = path.join(base, 'tls.cert')
  const macaroonFile = path.join(macdir, 'invoice.macaroon')
  const trust = (cert: string) => writeFileSync(tlspath, cert)
  const give = (macaroon: string) => writeFileSync(macaroonFile, Buffer.from(macaroon, 'hex'))
  trust(certificate.cert)
  const nodes = async (port: number, network = '') => {
    const config = authenticator({ lndhost: `127.0.0.1:${port}`, tlspath, macdir, network })
    const secret = nodeSecret({ basedir: base })
    const running = await openNodes({ rows: memoryRows(), secret, authenticator: config })
    t.after(() => running.close())
    return { running, node: running.get(undefined) ?? assert.fail('no node') }
  }
  return { trust, give, nodes, tlspath, macaroonFile }
}

/** What lnd's invoice.macaroon allows, of what is asked of it here. */
const INVOICE = [{ entity: 'invoices', actions: ['read', 'write'] }]

test('lnd by its port: invoices, their settlement, a restart with another macaroon', async (t) => {
  const { give, nodes } = await setUp(t)
  const first = createSimulatedNode({ alias: 'first' })
  t.after(() => first.server.forceShutdown())
  give(first.macaroons.bake(INVOICE))
  const port = await serve(first, 0)
  const { node } = await nodes(port)
  assert.deepEqual([node.name, node.kind], ['lnd', 'lnd'])
  const { paymentHash } = await node.addInvoice(TERMS)
  const stop = new AbortController()
  t.after(() => stop.abort())
  const none = { addIndex: 0n, settleIndex: 0n }
  const events = node.subscribeInvoices(none, stop.signal)[Symbol.asyncIterator]()
  const next = events.next()
  assert.equal((await node.lookupInvoice(paymentHash))?.state, 'open')
  first.invoices.settle(Buffer.from(paymentHash).toString('hex'), 21_000n)
  assert.equal((await next).value?.settled, true)
  assert.equal(node.identity, undefined, 'this macaroon does not allow GetInfo')

  const broken = assert.rejects(Promise.resolve(events.next()), { name: 'PinholeError' })
  first.server.forceShutdown()
  await broken
  await until(() => node.state !== 'ready')
  const second = createSimulatedNode({ alias: 'second' })
  t.after(() => second.server.forceShutdown())
  give(second.adminMacaroon)
  await serve(second, port)
  await until(() => node.state === 'ready')
  assert.ok(await node.addInvoice(TERMS))
  await until(() => node.identity?.alias === 'second')
})

test('an lnd that is not there, is not the one, or whose files are missing is waited for', async (t) => {
  const { trust, give, nodes } = await setUp(t)
  const simulated = createSimulatedNode()
  t.after(() => simulated.server.forceShutdown())
  const port = await serve(simulated, 0)
  const { node } = await nodes(port)
  await until(() => node.reason?.code === 'ERR_AGENT_FILE')
  assert.match(node.reason?.message ?? '', /invoice\.macaroon/)
  trust(certificate.other)
  give(simulated.adminMacaroon)
  await until(() => node.reason?.code === 'ERR_AGENT_LND')
  assert.match(node.reason?.message ?? '', /certificate/)
  await assert.rejects(node.addInvoice(TERMS), { code: 'ERR_NODE_OFFLINE' })
  trust(certificate.cert)
  await until(() => node.state === 'ready')
  assert.ok(await node.addInvoice(TERMS))
})

test('a call of a macaroon that allows nothing names the method', async (t) => {
  const { give, nodes } = await setUp(t)
  const simulated = createSimulatedNode()
  t.after(() => simulated.server.forceShutdown())
  give(simulated.macaroons.bake([{ entity: 'info', actions: ['read'] }]))
  const { node } = await nodes(await serve(simulated, 0))
  await assert.rejects(node.addInvoice(TERMS), {
    code: 'ERR_NODE_PERMISSION',
    message: /AddInvoice/,
  })
})

test('an lnd that does not know the macaroon is away, and says so', async (t) => {
  const { give, nodes } = await setUp(t)
  const simulated = createSimulatedNode()
  t.after(() => simulated.server.forceShutdown())
  give(createSimulatedNode().adminMacaroon)
  const { node } = await nodes(await serve(simulated, 0))
  await until(() => node.reason !== undefined)
  assert.notEqual(node.state, 'ready')
  assert.match(node.reason?.message ?? '', /does not take the macaroon: /)
  give(simulated.adminMacaroon)
  await until(() => node.state === 'ready')
})

test('a macaroon that was replaced is used from the next question on', async (t) => {
  const { give, tlspath, macaroonFile } = await setUp(t)
  const simulated = createSimulatedNode()
  t.after(() => simulated.server.forceShutdown())
  give(simulated.macaroons.bake([{ entity: 'info', actions: ['read'] }]))
  const port = await serve(simulated, 0)
  const clock = new ManualClock()
  const line = new Line('lnd', clock)
  const address = { lnd: `127.0.0.1:${port}`, tls: tlspath, macaroon: macaroonFile }
  const keeper = keepLndLine({ line, address, clock, log: silentLog })
  t.after(() => keeper.close())
  await until(() => line.standing.name === 'ready')
  const first = line.standing
  give('')
  clock.advance(30_000)
  await until(() => (clock.next() ?? 0) === 60_000)
  assert.equal(line.standing, first, 'a file that is being written is no reason')
  give(simulated.adminMacaroon)
  clock.advance(30_000)
  await until(() => line.standing.name !== 'ready')
  assert.match(line.offline().message, /invoice\.macaroon has changed/)
  await until(() => {
    if (line.standing.name !== 'ready') clock.advance(250)
    return line.standing.name === 'ready'
  })
  const { standing } = line
  assert.ok(standing.name === 'ready' && (await standing.node.getInfo()).alias !== '')
})

test('an lnd that falls silent without a word is found out by asking', async (t) => {
  const { give, tlspath, macaroonFile } = await setUp(t)
  const simulated = createSimulatedNode()
  t.after(() => simulated.server.forceShutdown())
  give(simulated.adminMacaroon)
  const target = await serve(simulated, 0)
  const gate = await cuttable(t, target)
  const clock = new ManualClock()
  const line = new Line('lnd', clock)
  const address = { lnd: `127.0.0.1:${gate.port}`, tls: tlspath, macaroon: macaroonFile }
  const keeper = keepLndLine({ line, address, clock, log: silentLog })
  t.after(() => keeper.close())
  await until(() => line.standing.name === 'ready')
  gate.silence()
  clock.advance(30_000)
  // The question is under way, and its deadline is the clock's.
  await until(() => clock.next() !== undefined && (clock.next() ?? 0) <= 40_000)
  clock.advance(10_000)
  await until(() => line.standing.name !== 'ready')
  assert.match(line.offline().message, /GetState/)
})

/** A way to `target` that can swallow everything without closing. */
async function cuttable(t: TestContext, target: number) {
  const { connect } = await import('node:net')
  const sockets: Socket[] = []
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => {})
    sockets.push(near, far)
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const bound = server.address()
  return {
    port: typeof bound === 'object' ? (bound?.port ?? 0) : 0,
    silence: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}

test('an lnd of another network sells nothing, though its macaroon does not allow to ask it', async (t) => {
  const { give, nodes } = await setUp(t)
  const simulated = createSimulatedNode()
  t.after(() => simulated.server.forceShutdown())
  give(simulated.macaroons.bake(INVOICE))
  const port = await serve(simulated, 0)
  const { node } = await nodes(port, 'mainnet')
  let parted = 0
  node.onReplaced(() => parted++)
  const elsewhere = { code: 'ERR_NODE_NETWORK', message: /authenticator\.network says mainnet/ }
  await assert.rejects(node.addInvoice(TERMS), elsewhere)
  await assert.rejects(node.addInvoice(TERMS), elsewhere)
  assert.equal(node.reason?.code, 'ERR_NODE_NETWORK')
  assert.equal(parted, 1, 'what was made ahead is not sold either')
  const { node: right } = await nodes(port, 'regtest')
  assert.ok(await right.addInvoice(TERMS))
  assert.equal(right.reason, undefined)
})

test('another lnd at the same address is known by its invoices', async (t) => {
  const { give, nodes } = await setUp(t)
  const first = createSimulatedNode()
  give(first.macaroons.bake(INVOICE))
  const port = await serve(first, 0)
  const { node } = await nodes(port)
  let parted = 0
  node.onReplaced(() => parted++)
  for (let n = 0; n < 2; n++) await node.addInvoice(TERMS)
  first.server.forceShutdown()
  await until(() => node.state !== 'ready')
  const second = createSimulatedNode()
  t.after(() => second.server.forceShutdown())
  give(second.macaroons.bake(INVOICE))
  await serve(second, port)
  await until(() => node.state === 'ready')
  assert.equal(parted, 0)
  for (let n = 0; n < 2; n++) await node.addInvoice(TERMS)
  assert.equal(parted, 1)
})
