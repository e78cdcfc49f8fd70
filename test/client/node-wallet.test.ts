import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { openChannel } from '../../mailbox/rpc/channel.ts'
import { serveGrpc } from '../../mailbox/rpc/serve.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { nodeWallet } from '../../src/client/node-wallet.ts'
import { READ_ONLY } from '../../src/sandbox/authorization.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { memoryLinkPair } from '../mailbox/memory-link.ts'

test('a node pays once, finds what it has paid, and says why it could not', async (t) => {
  const clock = new ManualClock()
  const simulated = createSimulatedNode({ clock })
  const connected = (macaroon: string) => {
    const [ours, theirs] = memoryLinkPair()
    const served = serveGrpc(theirs, simulated.server)
    const channel = openChannel(ours, { metadata: [['macaroon', macaroon]] })
    t.after(async () => {
      await channel.close()
      await served
      simulated.server.forceShutdown()
    })
    return new LightningNode(channel)
  }
  const node = connected(simulated.adminMacaroon)
  const wallet = nodeWallet(node)
  const options = { maxFeeMsat: 1_000n }

  const { paymentRequest, rHash } = await node.addInvoice({ valueMsat: 7_000n })
  assert.deepEqual(await wallet.lookup(rHash), { name: 'unknown' })
  const { preimage, feeMsat } = await wallet.pay(paymentRequest, options)
  assert.deepEqual(new Uint8Array(createHash('sha256').update(preimage).digest()), rHash)
  assert.equal(feeMsat, 0n)
  // lnd refuses to pay it again; what it paid before is the answer.
  assert.deepEqual((await wallet.pay(paymentRequest, options)).preimage, preimage)
  assert.deepEqual(await wallet.lookup(rHash), { name: 'paid', preimage, feeMsat: 0n })

  const late = await node.addInvoice({ valueMsat: 7_000n, expiry: 60n })
  clock.advance(61_000)
  await assert.rejects(wallet.pay(late.paymentRequest, options), {
    code: 'ERR_PAYMENT_FAILED',
    message: 'the node could not pay: no route',
  })
  assert.deepEqual(await wallet.lookup(late.rHash), { name: 'failed', reason: 'no route' })

  // A call that the node refuses before it begins costs nothing.
  const foreign =
    'lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh'
  await assert.rejects(wallet.pay(foreign, options), { code: 'ERR_PAYMENT_FAILED' })

  const reader = nodeWallet(connected(simulated.macaroons.bake(READ_ONLY)))
  const unpaid = await node.addInvoice({ valueMsat: 7_000n })
  await assert.rejects(reader.pay(unpaid.paymentRequest, options), { code: 'ERR_NODE_PERMISSION' })
})
