/** A name that goes from one node to another: nothing of the first is given out any more. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { DEFAULTS, pass, stage, withPool } from './stage.ts'
import { VirtualNode } from './virtual-node.ts'

test('a node that turns out to be another gives its own invoices at once, and is heard from its own beginning', async () => {
  const { clock, node, store, invoices, ask } = stage({ options: DEFAULTS })
  for (let i = 0; i < 3; i++) assert.match((await ask()).paymentRequest, /^lnbc-alice-/)
  node.settle((await ask()).paymentHash)
  await pass(clock, 1_000)
  assert.ok(store.load('alice').settleIndex > 0n)
  assert.ok(store.counts().some(({ count }) => count > 0))

  node.becomes('mallory')
  assert.deepEqual(store.counts(), [])
  const invoice = await ask()
  assert.match(invoice.paymentRequest, /^lnbc-mallory-/)
  await pass(clock, 1_000)
  assert.equal(node.subscriptions.at(-1)?.settleIndex, 0n)
  node.settle(invoice.paymentHash)
  await pass(clock, 1_000)
  assert.deepEqual(store.load('alice').settleIndex, 1n)
  await invoices.close()
})

test('so does one that was paired in the place of one that was removed', async () => {
  const { clock, nodes, store, invoices, ask } = stage({ options: withPool({ perprice: 8 }) })
  await ask()
  await pass(clock, 1_000)
  assert.ok(store.counts().length > 0)
  nodes.nodes = [new VirtualNode('alice', clock, 'mallory')]
  for (let i = 0; i < 10; i++) assert.match((await ask()).paymentRequest, /^lnbc-mallory-/)
  await invoices.close()
})
