import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { create } from '@bufbuild/protobuf'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { GrpcCode } from '../../src/base/errors.ts'
import { READ_ONLY } from '../../src/sandbox/authorization.ts'
import { SimulatedNetwork } from '../../src/sandbox/payments.ts'
import { createSimulatedNode, type SimulatedNodeOptions } from '../../src/sandbox/simulated-node.ts'
import { openChannel } from '../../mailbox/rpc/channel.ts'
import {
  InvoiceSchema,
  Invoice_InvoiceState,
  Lightning,
  PaymentFailureReason,
  Payment_PaymentStatus,
} from '../../mailbox/rpc/gen/lightning_pb.ts'
import { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { serveGrpc } from '../../mailbox/rpc/serve.ts'
import { memoryLinkPair } from '../mailbox/memory-link.ts'

function connectedNode(options: SimulatedNodeOptions = {}) {
  const simulated = createSimulatedNode(options)
  const ends: (() => Promise<void>)[] = []
  const connect = (macaroon: string) => {
    const [ours, theirs] = memoryLinkPair()
    const served = serveGrpc(theirs, simulated.server)
    const channel = openChannel(ours, { metadata: [['macaroon', macaroon]] })
    ends.push(async () => {
      await channel.close()
      await served
    })
    return new LightningNode(channel)
  }
  const end = async () => {
    for (const stop of ends) await stop()
    simulated.server.forceShutdown()
  }
  return { ...simulated, node: connect(simulated.adminMacaroon), connect, end }
}

async function take<T>(events: AsyncIterator<T, unknown>, count: number): Promise<T[]> {
  const taken: T[] = []
  while (taken.length < count) {
    const result = await events.next()
    if (result.done) assert.fail(`ended after ${taken.length} of ${count}`)
    else taken.push(result.value)
  }
  return taken
}

const hashOf = (preimage: Uint8Array) => createHash('sha256').update(preimage).digest()

test('an invoice is made, found, decoded, paid and seen as settled', async () => {
  const { node, end } = connectedNode({ alias: 'alice' })
  const info = await node.getInfo()
  assert.equal(info.alias, 'alice')
  assert.match(info.identityPubkey, /^0[23][0-9a-f]{64}$/)

  const events = node.subscribeInvoices()[Symbol.asyncIterator]()
  await node.getInfo()
  const added = await node.addInvoice({ valueMsat: 21_000n, memo: 'tea', expiry: 600n })
  assert.equal(added.addIndex, 1n)
  const payReq = await node.decodePayReq(added.paymentRequest)
  assert.deepEqual(
    [payReq.numMsat, payReq.numSatoshis, payReq.description, payReq.expiry, payReq.destination],
    [21_000n, 21n, 'tea', 600n, info.identityPubkey],
  )
  assert.equal(payReq.paymentHash, toHex(added.rHash))

  const statuses: number[] = []
  let preimage: Uint8Array = new Uint8Array()
  const payment = { paymentRequest: added.paymentRequest, timeoutSeconds: 10 }
  for await (const change of node.sendPaymentV2(payment)) {
    statuses.push(change.status)
    preimage = fromHex(change.paymentPreimage) ?? preimage
  }
  assert.deepEqual(statuses, [Payment_PaymentStatus.IN_FLIGHT, Payment_PaymentStatus.SUCCEEDED])
  assert.deepEqual(new Uint8Array(hashOf(preimage)), added.rHash)

  const invoice = await node.lookupInvoice(added.rHash)
  assert.equal(invoice.state, Invoice_InvoiceState.SETTLED)
  assert.equal(invoice.amtPaidMsat, 21_000n)
  const seen = await take(events, 2)
  assert.deepEqual(
    seen.map(({ addIndex, settleIndex, state }) => [addIndex, settleIndex, state]),
    [
      [1n, 0n, Invoice_InvoiceState.OPEN],
      [1n, 1n, Invoice_InvoiceState.SETTLED],
    ],
  )
  await events.return?.()
  for await (const change of node.trackPaymentV2({ paymentHash: added.rHash })) {
    assert.equal(change.status, Payment_PaymentStatus.SUCCEEDED)
  }
  await assert.rejects(
    async () => {
      for await (const change of node.sendPaymentV2(payment)) assert.fail(change.paymentHash)
    },
    { code: 'ERR_NODE_CALL', grpc: GrpcCode.alreadyExists, message: /already paid/ },
  )
  await end()
})

test('a subscriber that names its indexes gets what it missed, adds before settles', async () => {
  const { node, invoices, end } = connectedNode()
  for (let i = 0; i < 4; i++) await node.addInvoice({ value: 1n })
  const first = invoices.since(0n, 0n)
  assert.deepEqual(first, [])
  const [, , third, fourth] = invoices.since(-1n, 0n)
  for (const invoice of [fourth, third])
    invoices.settle(toHex(invoice?.rHash ?? new Uint8Array()), 1000n)
  const events = node.subscribeInvoices({ addIndex: 2n, settleIndex: 1n })[Symbol.asyncIterator]()
  const seen = (await take(events, 3)).map(({ addIndex, settleIndex }) => [addIndex, settleIndex])
  assert.deepEqual(seen, [
    [3n, 2n],
    [4n, 1n],
    [3n, 2n],
  ])
  await events.return?.()
  await end()
})

test('cancelled, expired and unknown invoices are not paid; a peer of the network is', async () => {
  const clock = new ManualClock()
  const network = new SimulatedNetwork()
  const alice = connectedNode({ network, clock })
  const bob = connectedNode({ network, clock })
  const pay = async (paymentRequest: string) => {
    for await (const change of bob.node.sendPaymentV2({ paymentRequest, noInflightUpdates: true }))
      return change
    return assert.fail('no change')
  }
  const good = await alice.node.addInvoice({ value: 5n })
  assert.equal((await pay(good.paymentRequest)).status, Payment_PaymentStatus.SUCCEEDED)

  const cancelled = await alice.node.addInvoice({ value: 5n })
  await alice.node.cancelInvoice(cancelled.rHash)
  const expired = await alice.node.addInvoice({ value: 5n, expiry: 60n })
  clock.advance(60_000)
  for (const { paymentRequest } of [cancelled, expired]) {
    const change = await pay(paymentRequest)
    assert.equal(change.status, Payment_PaymentStatus.FAILED)
    assert.equal(change.failureReason, PaymentFailureReason.FAILURE_REASON_NO_ROUTE)
  }
  await assert.rejects(pay('lnbc1'), { code: 'ERR_NODE_CALL' })
  await assert.rejects(alice.node.lookupInvoice(new Uint8Array(32)), { grpc: GrpcCode.notFound })
  await assert.rejects(alice.node.cancelInvoice(good.rHash), { message: /already settled/ })
  await alice.end()
  await bob.end()
})

test('what lnd refuses is refused: amounts, preimages, duplicates', async () => {
  const { node, end } = connectedNode()
  const rPreimage = new Uint8Array(32).fill(3)
  const { rHash } = await node.addInvoice({ rPreimage, value: 1n })
  assert.deepEqual(rHash, new Uint8Array(hashOf(rPreimage)))
  const wrong = [
    { rPreimage, value: 1n },
    { rPreimage: new Uint8Array(31) },
    { value: 1n, valueMsat: 1n },
    { value: -1n },
  ]
  for (const fields of wrong) {
    await assert.rejects(node.addInvoice(create(InvoiceSchema, fields)), { code: 'ERR_NODE_CALL' })
  }
  await end()
})

test('a macaroon allows what it says and no more', async () => {
  const { macaroons, adminMacaroon, connect, node, end } = connectedNode()
  const reader = connect(macaroons.bake(READ_ONLY))
  await reader.getInfo()
  await assert.rejects(reader.addInvoice({ value: 1n }), {
    code: 'ERR_NODE_PERMISSION',
    message: /\/lnrpc.Lightning\/AddInvoice/,
  })
  const one = connect(macaroons.bake([{ entity: 'uri', actions: ['/lnrpc.Lightning/AddInvoice'] }]))
  await one.addInvoice({ value: 1n })
  await assert.rejects(one.getInfo(), { code: 'ERR_NODE_PERMISSION' })
  await assert.rejects(connect('00').getInfo(), { code: 'ERR_NODE_PERMISSION' })
  const subscription = one.subscribeInvoices()[Symbol.asyncIterator]()
  await assert.rejects(subscription.next(), { code: 'ERR_NODE_PERMISSION' })

  const macaroon = fromHex(adminMacaroon) ?? new Uint8Array()
  const permissions = [{ entity: 'invoices', action: 'write' }]
  assert.equal(await node.checkMacaroonPermissions({ macaroon, permissions }), true)
  const fullMethod = '/lnrpc.Lightning/SubscribeInvoices'
  assert.equal(await node.checkMacaroonPermissions({ macaroon, fullMethod }), true)
  await assert.rejects(
    node.checkMacaroonPermissions({ macaroon, permissions: [{ entity: 'x', action: 'y' }] }),
    { code: 'ERR_NODE_PERMISSION' },
  )
  assert.equal((await node.rpc.call(Lightning.method.listChannels)).channels.length, 0)
  await end()
})
