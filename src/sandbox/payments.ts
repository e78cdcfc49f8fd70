/** Payments between simulated nodes: whoever knows the invoice of a hash is paid, in memory. */
import { create } from '@bufbuild/protobuf'
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import {
  PaymentFailureReason,
  PaymentSchema,
  Payment_PaymentStatus,
  type PayReq,
  type Payment,
} from '../../mailbox/rpc/gen/lightning_pb.ts'
import { Refusal, type InvoiceLedger } from './invoices.ts'

const NOT_FOUND = 5
const ALREADY_EXISTS = 6

/** The ledgers that can be paid. */
export class SimulatedNetwork {
  readonly #ledgers: InvoiceLedger[] = []

  /** Makes the invoices of `ledger` payable. */
  join(ledger: InvoiceLedger): void {
    this.#ledgers.push(ledger)
  }

  /** Pays `msat` to whom `hash` belongs; gives the preimage, or `undefined` when nobody takes it. */
  pay(hash: string, msat: bigint): Uint8Array | undefined {
    const ledger = this.#ledgers.find((other) => other.payable(hash))
    if (!ledger || msat < ledger.find(hash).valueMsat) return undefined
    return ledger.settle(hash, msat).rPreimage
  }
}

/** What one node has sent. */
export class PaymentBook {
  readonly #network: SimulatedNetwork
  readonly #clock: Clock
  readonly #payments = new Map<string, Payment>()

  constructor(network: SimulatedNetwork, clock: Clock) {
    this.#network = network
    this.#clock = clock
  }

  /** Pays; gives the changes of the payment in order. Throws `Refusal`. */
  send(payReq: PayReq, paymentRequest: string, amtMsat: bigint): Payment[] {
    const hash = payReq.paymentHash
    const earlier = this.#payments.get(hash)
    if (earlier?.status === Payment_PaymentStatus.SUCCEEDED) {
      throw new Refusal(ALREADY_EXISTS, 'invoice is already paid')
    }
    const msat = payReq.numMsat > 0n ? payReq.numMsat : amtMsat
    const start = {
      paymentHash: hash,
      paymentRequest,
      valueMsat: msat,
      valueSat: msat / 1000n,
      value: msat / 1000n,
      creationTimeNs: BigInt(this.#clock.wall()) * 1_000_000n,
      paymentIndex: BigInt(this.#payments.size + 1),
    }
    const preimage = this.#network.pay(hash, msat)
    const outcome = preimage
      ? { status: Payment_PaymentStatus.SUCCEEDED, paymentPreimage: toHex(preimage) }
      : {
          status: Payment_PaymentStatus.FAILED,
          failureReason: PaymentFailureReason.FAILURE_REASON_NO_ROUTE,
        }
    const last = create(PaymentSchema, { ...start, ...outcome })
    this.#payments.set(hash, last)
    return [create(PaymentSchema, { ...start, status: Payment_PaymentStatus.IN_FLIGHT }), last]
  }

  /** The last state of the payment of `hash`. Throws `Refusal`. */
  find(hash: string): Payment {
    const payment = this.#payments.get(hash)
    if (!payment) throw new Refusal(NOT_FOUND, "payment isn't initiated")
    return payment
  }
}
