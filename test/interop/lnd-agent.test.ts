/**
 * A real lnd behind `pinhole agent` and our relay: an invoice is made, paid by a second lnd and seen to
 * settle, all through LNC; then the agent is ended and comes back, and one with a lesser macaroon may less.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import type { PairedNode } from '../../mailbox/connect/connect.ts'
import { connect } from '../../mailbox/connect/node.ts'
import { Invoice_InvoiceState, type Invoice } from '../../mailbox/rpc/gen/lightning_pb.ts'
import { Agent } from './agent.ts'
import { requirePeers } from './peers.ts'
import { Relay } from './relays.ts'
import { startSimnet, type Simnet } from './simnet.ts'
import { Undo } from './undo.ts'

const CALL_MS = 20_000
const VALUE_SAT = 1234n
const options = { timeoutMs: CALL_MS }

async function pair(undo: Undo, relay: Relay, phrase: string): Promise<PairedNode> {
  const node = await connect({ mailbox: relay.address, phrase, insecureTls: true })
  undo.push(() => node.close())
  return node
}

/** Resolves when the connection that stands was lost and is there again. */
function reconnected(node: PairedNode): Promise<void> {
  let isLost = false
  return new Promise((resolve) => {
    const unsubscribe = node.onState(({ name }) => {
      if (name !== 'ready') isLost = true
      if (name !== 'ready' || !isLost) return
      unsubscribe()
      resolve()
    })
  })
}

/** The first invoice of that hash in that state. */
async function seen(
  invoices: AsyncIterator<Invoice>,
  hash: Uint8Array,
  state: Invoice_InvoiceState,
): Promise<Invoice> {
  for (;;) {
    const next = await invoices.next()
    if (next.done === true) throw new Error('the subscription ended')
    const invoice = next.value
    if (toHex(invoice.rHash) === toHex(hash) && invoice.state === state) return invoice
  }
}

async function sellsAndSeesItPaid(simnet: Simnet, node: PairedNode): Promise<void> {
  const stop = new AbortController()
  // lnd carries out calls side by side: what is added may come before who asked to be told of it.
  const { addIndex } = await node.addInvoice({ value: 1n, memo: 'before' }, options)
  const told = node.subscribeInvoices({ addIndex }, { signal: stop.signal })
  const invoices = told[Symbol.asyncIterator]()
  const added = await node.addInvoice({ value: VALUE_SAT, memo: 'one call' }, options)
  const open = await seen(invoices, added.rHash, Invoice_InvoiceState.OPEN)
  assert.equal(open.memo, 'one call')

  const decoded = await node.decodePayReq(added.paymentRequest, options)
  assert.equal(decoded.numSatoshis, VALUE_SAT)
  assert.equal(decoded.paymentHash, toHex(added.rHash))

  const preimage = await simnet.pay(added.paymentRequest)
  const settled = await seen(invoices, added.rHash, Invoice_InvoiceState.SETTLED)
  assert.equal(toHex(settled.rPreimage), preimage)
  assert.equal(settled.amtPaidSat, VALUE_SAT)
  const found = await node.lookupInvoice(added.rHash, options)
  assert.equal(found.state, Invoice_InvoiceState.SETTLED)
  stop.abort()
}

test('a real lnd behind pinhole agent and our relay', { timeout: 240_000 }, async (t) => {
  if (!requirePeers(t, 'lnd', 'btcd')) return
  const undo = new Undo(t)
  const simnet = await startSimnet()
  undo.push(() => simnet.stop())
  const relay = await Relay.start('pinhole')
  undo.push(() => relay.stop())
  const agent = await Agent.start(simnet.payee, relay, 'admin')
  undo.push(() => agent.stop())
  const node = await pair(undo, relay, agent.phrase)
  const { identity_pubkey: pubkey } = await simnet.payee.info()

  await t.test('answers as the lnd that it is', async () => {
    const info = await node.getInfo(options)
    assert.equal(info.identityPubkey, pubkey)
    assert.equal(info.alias, 'payee')
    assert.equal(info.syncedToChain, true)
  })

  await t.test('makes an invoice, and sees a second lnd pay it', () =>
    sellsAndSeesItPaid(simnet, node),
  )

  await t.test('is there again after the agent was killed', async () => {
    const back = reconnected(node)
    await agent.restart()
    await back
    const info = await node.getInfo(options)
    assert.equal(info.identityPubkey, pubkey)
  })

  await t.test('allows what its macaroon allows', async () => {
    const lesser = await Agent.start(simnet.payee, relay, 'readonly')
    undo.push(() => lesser.stop())
    const reader = await pair(undo, relay, lesser.phrase)
    assert.equal((await reader.getInfo(options)).identityPubkey, pubkey)
    await assert.rejects(reader.addInvoice({ value: 1n }, options), { code: 'ERR_NODE_PERMISSION' })
  })
})
