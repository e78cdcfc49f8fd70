/** What a command has paid. */
import { decodeInvoice } from '../bolt11/decode.ts'
import type { Wallet } from '../client/wallet.ts'

/** Amount and routing of the payments so far, in millisatoshis. */
export interface Paid {
  readonly amountMsat: bigint
  readonly feeMsat: bigint
}

/** A wallet that counts what it pays. */
export class PaidSum implements Required<Wallet> {
  readonly #wallet: Required<Wallet>
  #sum: Paid | undefined

  constructor(wallet: Required<Wallet>) {
    this.#wallet = wallet
  }

  /** `undefined` when nothing was paid. */
  get sum(): Paid | undefined {
    return this.#sum
  }

  async pay(...[invoice, options]: Parameters<Wallet['pay']>): ReturnType<Wallet['pay']> {
    const payment = await this.#wallet.pay(invoice, options)
    const { amountMsat = 0n, feeMsat = 0n } = this.#sum ?? {}
    const { amountMsat: more = 0n } = decodeInvoice(invoice)
    const { feeMsat: fee = 0n } = payment
    this.#sum = { amountMsat: amountMsat + more, feeMsat: feeMsat + fee }
    return payment
  }

  lookup(paymentHash: Uint8Array): ReturnType<Required<Wallet>['lookup']> {
    return this.#wallet.lookup(paymentHash)
  }
}
