import assert from 'node:assert/strict'
import test from 'node:test'
import * as browser from '../../../mailbox/browser.ts'
import * as node from '../../../mailbox/index.ts'
import { LightningNode } from '../../../mailbox/rpc/lightning-node.ts'

test('both entries have names for what lnd says, and for the methods that have no function of their own', async () => {
  const paths: string[] = []
  const unary = async (path: string) => {
    paths.push(path)
    return new Uint8Array()
  }
  for (const { Invoices, Invoice_InvoiceState, Payment_PaymentStatus } of [node, browser]) {
    const lnd = new LightningNode({ unary, stream: () => assert.fail('no stream') })
    await lnd.rpc.call(Invoices.method.settleInvoice, { preimage: new Uint8Array(32) })
    const invoice: node.Invoice = await lnd.lookupInvoice(new Uint8Array(32))
    assert.equal(invoice.state, Invoice_InvoiceState.OPEN)
    assert.equal(Payment_PaymentStatus.SUCCEEDED, 2)
  }
  const asked = ['/invoicesrpc.Invoices/SettleInvoice', '/lnrpc.Lightning/LookupInvoice']
  assert.deepEqual(paths, [...asked, ...asked])
})
