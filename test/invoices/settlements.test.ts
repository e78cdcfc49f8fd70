import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { pass, settle, stage, type Stage } from './stage.ts'
import { VirtualNode } from './virtual-node.ts'

/** An invoice that a client has. */
async function sold({ ask, store, clock }: Stage): Promise<Uint8Array> {
  const asked = ask()
  await pass(clock, 1_000)
  const { paymentHash } = await asked
  await store.sell(paymentHash)
  return paymentHash
}

test('a payment is heard once, and remembered', async () => {
  const on = stage()
  const { node, store, invoices, clock } = on
  const heard: string[] = []
  invoices.onSettled(({ paymentHash, settledAtMs }) => {
    heard.push(toHex(paymentHash))
    assert.equal(settledAtMs, clock.wall())
  })
  const hash = await sold(on)
  assert.equal(await invoices.settled(hash, 0), false)
  node.settle(hash)
  await settle()
  assert.deepEqual(heard, [toHex(hash)])
  assert.equal(await invoices.settled(hash, 0), true)
  await pass(clock, 1_000)
  assert.equal(store.disk.indexes.get('alice')?.settleIndex, 1n)
  assert.equal(store.disk.sales.get(toHex(hash)), true)
  await invoices.close()
})

test('invoices of others on the same node are not counted', async () => {
  const on = stage()
  const { node, invoices } = on
  await sold(on)
  invoices.onSettled(() => assert.fail('not ours'))
  node.settle(node.create(5n).paymentHash)
  await settle()
  await invoices.close()
})

test('a listener that fails or has left does not keep others from hearing', async () => {
  const on = stage()
  const { node, invoices } = on
  let heard = 0
  invoices.onSettled(() => {
    throw new Error('broken')
  })
  invoices.onSettled(() => heard++)
  const leave = invoices.onSettled(() => assert.fail('has left'))
  leave()
  node.settle(await sold(on))
  await settle()
  assert.equal(heard, 1)
  await invoices.close()
})

test('what was settled while the stream was down is heard when it is back', async () => {
  const on = stage()
  const { node, invoices, clock } = on
  node.create(1n)
  const [first, second] = [await sold(on), await sold(on)]
  node.settle(first)
  await pass(clock, 1_000)
  node.leave()
  await settle()
  node.settle(second)
  await pass(clock, 60_000)
  assert.equal(await invoices.settled(second, 0), false)
  node.comeBack()
  await settle()
  assert.equal(await invoices.settled(second, 0), true)
  assert.equal(node.subscriptions.at(-1)?.settleIndex, 1n)
  await invoices.close()
})

test('the first settlement of all is heard although it fell into a gap and a restart', async () => {
  const before = stage()
  before.node.create(1n)
  const hash = await sold(before)
  await before.invoices.close()
  before.node.settle(hash)
  const after = stage({ store: before.store.reopened() })
  for (const [id, kept] of before.node.invoices) after.node.invoices.set(id, kept)
  // The new stage's node was empty when it was subscribed to; its stream breaks and begins again.
  after.node.breakStreams()
  await pass(after.clock, 1_000)
  assert.equal(await after.invoices.settled(hash, 0), true)
  await after.invoices.close()
})

test('a stream that ends at once is tried again and again, but not often', async () => {
  const on = stage()
  const { node, invoices, clock } = on
  assert.equal(invoices.deaf(node.name), undefined)
  const subscribeInvoices = node.subscribeInvoices.bind(node)
  node.subscribeInvoices = async function* (from) {
    node.subscriptions.push(from)
    throw new PinholeError('ERR_NODE_PERMISSION', 'no invoices:read')
  }
  node.breakStreams()
  await pass(clock, 10 * 60_000)
  const tries = node.subscriptions.length
  assert.ok(tries >= 15 && tries <= 60, `${tries} tries in 10 minutes`)
  assert.equal(invoices.state[0]?.subscribed, false)
  assert.equal(invoices.deaf(node.name), 'no invoices:read')
  node.subscribeInvoices = subscribeInvoices
  await pass(clock, 60_000)
  assert.equal(invoices.deaf(node.name), undefined, 'it is heard again')
  await invoices.close()
})

test('a settlement that cannot be stored is heard again until it can', async () => {
  const on = stage()
  const { node, store, invoices, clock } = on
  node.create(1n)
  const hash = await sold(on)
  store.fails = new PinholeError('ERR_STORE_OPEN', 'the disk is broken')
  node.settle(hash)
  await pass(clock, 60_000)
  assert.equal(store.disk.sales.get(toHex(hash)), false)
  assert.equal(store.disk.indexes.get('alice')?.settleIndex, 0n)
  store.fails = undefined
  await pass(clock, 60_000)
  assert.equal(store.disk.sales.get(toHex(hash)), true)
  await invoices.close()
})

test('who waits for a payment is answered when it comes, or in time', async () => {
  const on = stage()
  const { node, invoices, clock } = on
  const hash = await sold(on)
  const started = clock.now()
  const answers: [boolean, number][] = []
  const note = (answer: boolean) => answers.push([answer, clock.now() - started])
  void invoices.settled(hash, 1_000).then(note)
  void invoices.settled(hash, 5_000).then(note)
  await pass(clock, 2_000)
  node.settle(hash)
  await pass(clock, 5_000)
  assert.deepEqual(answers, [
    [false, 1_000],
    [true, 2_000],
  ])
  await invoices.close()
})

test('who waits while the stream is down is answered by the node itself', async () => {
  const on = stage({ roundTripMs: () => 300 })
  const { node, invoices, clock } = on
  const hash = await sold(on)
  node.subscribeInvoices = async function* () {
    throw new Error('no stream')
  }
  node.breakStreams()
  await settle()
  node.settle(hash)
  const answer = invoices.settled(hash, 5_000)
  await pass(clock, 300)
  assert.equal(await answer, true)
  assert.equal(on.store.disk.sales.get(toHex(hash)), true)
  await invoices.close()
})

test('closing answers those who wait', async () => {
  const on = stage()
  const hash = await sold(on)
  const answer = on.invoices.settled(hash, 60_000)
  await on.invoices.close()
  assert.equal(await answer, false)
  assert.equal(on.node.streams, 0)
})

test('a preimage is told of what is paid, by the node that made it, and only when it fits', async () => {
  const on = stage()
  const { node, nodes, invoices, clock } = on
  const other = new VirtualNode('bob', clock)
  nodes.nodes.push(other)
  const hash = await sold(on)
  assert.equal(await invoices.preimage(hash), undefined)
  node.settle(hash)
  const preimage = await invoices.preimage(hash)
  assert.ok(preimage)
  assert.deepEqual(
    new Uint8Array(createHash('sha256').update(preimage).digest()),
    new Uint8Array(hash),
  )
  // Not remembered where it came from: every node is asked.
  const elsewhere = other.create(7n).paymentHash
  other.settle(elsewhere)
  assert.ok(await invoices.preimage(elsewhere))
  node.lookupInvoice = async () => ({ state: 'settled', preimage: new Uint8Array(32) })
  assert.equal(await invoices.preimage(hash), undefined)
  node.lookupInvoice = async () => Promise.reject(new Error('garbled'))
  assert.equal(await invoices.preimage(hash), undefined)
  node.leave()
  assert.equal(await invoices.preimage(hash), undefined)
  await invoices.close()
})

test('a node that is paired later is followed, one that is removed no more', async () => {
  const on = stage()
  const { nodes, node, invoices, clock, ask } = on
  const bob = new VirtualNode('bob', clock)
  nodes.nodes = [bob]
  await pass(clock, 61_000)
  assert.equal(node.streams, 0)
  assert.equal(bob.streams, 1)
  // Paired again under its name: another connection.
  const again = new VirtualNode('bob', clock)
  nodes.nodes = [again]
  await ask()
  await settle()
  assert.equal(bob.streams, 0)
  assert.equal(again.streams, 1)
  nodes.nodes = []
  await assert.rejects(ask(), { code: 'ERR_INVOICE_UNAVAILABLE' })
  await invoices.close()
})
