/** Payment requests of the simulated node: what they say in hex, behind a prefix that no wallet takes for BOLT 11. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { fromHex, toHex } from '../base/bytes.ts'
import { PayReqSchema, type Invoice, type PayReq } from '../../mailbox/rpc/gen/lightning_pb.ts'
import { Refusal } from './invoices.ts'

const PREFIX = 'lnsandbox1'
const UNKNOWN = 2

/** The payment request of `invoice`, payable to `destination` (a public key in hex). */
export function encodePayReq(invoice: Invoice, destination: string): string {
  const payReq = create(PayReqSchema, {
    destination,
    paymentHash: toHex(invoice.rHash),
    numSatoshis: invoice.value,
    numMsat: invoice.valueMsat,
    timestamp: invoice.creationDate,
    expiry: invoice.expiry,
    description: invoice.memo,
    descriptionHash: toHex(invoice.descriptionHash),
    cltvExpiry: BigInt(invoice.cltvExpiry),
    paymentAddr: invoice.paymentAddr,
  })
  return PREFIX + toHex(toBinary(PayReqSchema, payReq))
}

/** What a payment request says. Throws `Refusal` for any other text. */
export function decodePayReq(text: string): PayReq {
  const bytes = text.startsWith(PREFIX) ? fromHex(text.slice(PREFIX.length)) : undefined
  try {
    if (bytes) return fromBinary(PayReqSchema, bytes)
  } catch {
    // Hex, but nothing this node wrote.
  }
  throw new Refusal(UNKNOWN, 'invalid payment request: not one of the sandbox')
}
