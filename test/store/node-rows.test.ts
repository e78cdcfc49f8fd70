import assert from 'node:assert/strict'
import test from 'node:test'
import type { NodeRow } from '../../src/store/node-rows.ts'
import { freshFile, withStore } from './folder.ts'
import { newInvoice } from './rows.ts'

const alice: NodeRow = {
  name: 'alice',
  kind: 'lnc',
  sealed: Uint8Array.of(1, 2, 3),
  alias: 'ALICE',
  pubkey: '02'.repeat(33),
  network: 'regtest',
  createdAtMs: 2,
}
const bob: NodeRow = {
  name: 'bob',
  kind: 'lnd',
  sealed: Uint8Array.of(4),
  alias: undefined,
  pubkey: undefined,
  network: undefined,
  createdAtMs: 1,
}

const plainRow = (row: NodeRow | undefined) => row && { ...row, sealed: new Uint8Array(row.sealed) }

test('nodes are listed in the order of pairing, replaced by name and removed', async () => {
  await withStore(async ({ nodes }) => {
    await nodes.put(alice)
    await nodes.put(bob)
    assert.deepEqual(nodes.list().map(plainRow), [bob, alice])
    const renewed = { ...alice, sealed: Uint8Array.of(9), alias: undefined }
    await nodes.put(renewed, alice)
    assert.deepEqual(plainRow(nodes.get('alice')), renewed)
    assert.equal(nodes.get('carol'), undefined)
    assert.equal(await nodes.remove('alice'), true)
    assert.equal(await nodes.remove('alice'), false)
    assert.deepEqual(nodes.list().map(plainRow), [bob])
  })
})

test('a node is replaced only as long as it is as it was read', async () => {
  await withStore(async ({ nodes }) => {
    assert.equal(await nodes.put(bob), true)
    assert.equal(await nodes.put({ ...bob, alias: 'other' }), false)
    const read = nodes.get('bob') ?? assert.fail()
    assert.equal(await nodes.put({ ...read, alias: 'BOB' }, read), true)
    assert.equal(await nodes.put({ ...read, sealed: Uint8Array.of(9) }, read), false)
    assert.deepEqual(plainRow(nodes.get('bob')), { ...bob, alias: 'BOB' })
    await nodes.remove('bob')
    assert.equal(await nodes.put(read, read), false, 'one that was removed stays so')
    assert.equal(nodes.get('bob'), undefined)
  })
})

test('a removed node leaves nothing that a node of the same name would take for its own', async () => {
  const file = freshFile()
  await withStore(
    async ({ nodes, invoices, settleIndexes }) => {
      await nodes.put(alice)
      await invoices.add([newInvoice({ node: 'alice' }), newInvoice({ node: 'bob' })])
      settleIndexes.save('alice', { addIndex: 5n, settleIndex: 6n })
      await nodes.remove('alice')
      assert.equal(invoices.take('alice', 10_000n, 0), undefined)
      assert.deepEqual(settleIndexes.load('alice'), { addIndex: 0n, settleIndex: 0n })
    },
    {},
    file,
  )
  await withStore(
    async ({ invoices, settleIndexes }) => {
      assert.deepEqual(invoices.counts(), [{ node: 'bob', amountMsat: 10_000n, count: 1 }])
      assert.deepEqual(settleIndexes.load('alice'), { addIndex: 0n, settleIndex: 0n })
    },
    {},
    file,
  )
})

test('settle indexes are known at once and after a restart', async () => {
  const file = freshFile()
  const indexes = { addIndex: 2n ** 60n, settleIndex: 3n }
  await withStore(
    async ({ settleIndexes }) => {
      assert.deepEqual(settleIndexes.load('a'), { addIndex: 0n, settleIndex: 0n })
      settleIndexes.save('a', { addIndex: 1n, settleIndex: 1n })
      settleIndexes.save('a', indexes)
      assert.deepEqual(settleIndexes.load('a'), indexes)
    },
    {},
    file,
  )
  await withStore(
    async ({ settleIndexes }) => assert.deepEqual(settleIndexes.load('a'), indexes),
    {},
    file,
  )
})
