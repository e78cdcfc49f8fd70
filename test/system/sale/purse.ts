/** The buyer's money: the payer's lnd, asked directly, and an account of every payment. */
import { toHex } from '../../../src/base/bytes.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { readMacaroon, readTarget } from '../../../src/agent/lnd-files.ts'
import { decodeInvoice } from '../../../src/bolt11/decode.ts'
import { nodeWallet } from '../../../src/client/node-wallet.ts'
import type { Payment, Wallet } from '../../../src/client/wallet.ts'
import { openChannel } from '../../../mailbox/rpc/channel.ts'
import { dialLink } from '../../../mailbox/rpc/dial.ts'
import { LightningNode } from '../../../mailbox/rpc/lightning-node.ts'
import type { Lnd } from '../../interop/lnd.ts'

/** Pays, and remembers what was paid. */
export interface Purse extends Required<Wallet> {
  /** Amounts by payment hash in hex. */
  readonly paid: ReadonlyMap<string, bigint>
  close(): Promise<void>
}

/** A purse on `lnd`. */
export async function openPurse(lnd: Lnd): Promise<Purse> {
  const target = await readTarget(lnd.grpcHost, lnd.tlsCertPath)
  const macaroon = await readMacaroon(lnd.macaroonPath('admin'))
  const channel = openChannel(dialLink(target), {
    metadata: [['macaroon', macaroon]],
    clock: systemClock,
  })
  const wallet = nodeWallet(new LightningNode(channel))
  const paid = new Map<string, bigint>()
  return {
    paid,
    async pay(invoice, options): Promise<Payment> {
      const { paymentHash, amountMsat = 0n } = decodeInvoice(invoice)
      const payment = await wallet.pay(invoice, options)
      paid.set(toHex(paymentHash), amountMsat)
      return payment
    },
    lookup: (paymentHash) => wallet.lookup(paymentHash),
    close: () => channel.close(),
  }
}
