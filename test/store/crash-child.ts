/** Sells as fast as it can until it is killed. Each line of its output is a promise that it has made. */
import { toHex } from '../../src/base/bytes.ts'
import { openStore } from '../../src/store/store.ts'
import { newInvoice, newToken } from './rows.ts'

const CLIENTS = 20
const [, , file = ''] = process.argv
const store = openStore(file)
const say = (...words: readonly string[]) => process.stdout.write(`${words.join(' ')}\n`)

async function sell(): Promise<void> {
  for (;;) {
    const invoice = store.invoices.take('a', 10_000n, 0)
    if (!invoice) {
      const invoices = Array.from({ length: 16 }, () => newInvoice())
      await store.invoices.add(invoices)
      for (const { paymentHash } of invoices) say('pooled', toHex(paymentHash))
      continue
    }
    const token = newToken({ paymentHash: invoice.paymentHash, createdAtMs: Date.now() })
    await store.tokens.add(token)
    say('sold', toHex(token.paymentHash), toHex(token.identifierHash), toHex(token.rootKey))
    if (Math.random() < 0.1) store.transactions.settle(token.paymentHash, Date.now())
    if (Math.random() < 0.1) {
      // Said first: whether a revocation that was under way took place is open.
      say('revoking', toHex(token.identifierHash))
      await store.tokens.revoke(token.identifierHash)
      say('revoked', toHex(token.identifierHash))
    }
  }
}

await Promise.all(Array.from({ length: CLIENTS }, sell))
