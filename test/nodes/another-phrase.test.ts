/** `authenticator.passphrase` is changed to that of another node: what the one before made is not given out. */
import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import { openStore } from '../../src/store/store.ts'
import { ready, setUpNode } from './setup.ts'

const invoice = (node: string, byte: number) => ({
  node,
  amountMsat: 1_000n,
  paymentRequest: `lnbcrt${byte}`,
  paymentHash: new Uint8Array(32).fill(byte),
  expiresAtMs: 2_000_000_000_000,
})

test('invoices that were made ahead stay with their phrase', async (t) => {
  const { session, nodes, pairing, basedir, use } = await setUpNode(t)
  const file = path.join(basedir, 'pinhole.db')
  const kept = async () => {
    const again = openStore(file)
    const counts = again.invoices.counts()
    await again.close()
    return counts.map(({ node, count }) => `${node} ${count}`).sort()
  }
  const { phrase } = await session()
  const run = async (words: string | undefined, fill: boolean) => {
    const store = openStore(file)
    const running = use(await nodes({ rows: store.nodes, authenticator: pairing(words) }))
    const node = await ready(running.get(undefined))
    await node.lookupInvoice(new Uint8Array(32))
    if (fill) await store.invoices.add([invoice('default', 1), invoice('other', 2)])
    const inMemory = store.invoices.take('default', 1_000n, 0)
    await running.close()
    await store.close()
    return inMemory
  }
  await run(phrase, true)
  assert.deepEqual(await kept(), ['default 1', 'other 1'])
  assert.ok(await run(phrase, false), 'the same phrase goes on with them')
  assert.deepEqual(await kept(), ['default 1', 'other 1'])

  const { phrase: another } = await session()
  assert.equal(await run(another, false), undefined)
  assert.deepEqual(await kept(), ['other 1'])
})
