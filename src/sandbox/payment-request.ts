/** Payment requests of the simulated node: BOLT 11 on regtest, signed with the node's key, as lnd words them. */
import { create } from '@bufbuild/protobuf'
import { toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'
import { decodeInvoice, type DecodedInvoice } from '../bolt11/decode.ts'
import { encodeInvoice } from '../bolt11/encode.ts'
import { payeeOf } from '../bolt11/signature.ts'
import { PayReqSchema, type Invoice, type PayReq } from '../../mailbox/rpc/gen/lightning_pb.ts'
import { Refusal } from './invoices.ts'

const UNKNOWN = 2
/** Onion with fields (8), payment secret (14) required, several parts (17) supported: lnd's own (BOLT 9). */
const FEATURES = [8, 14, 17]
/** The longest memo that lnd takes, in bytes. */
const MAX_MEMO_BYTES = 639

/** The payment request of `invoice`, payable to whom `privateKey` belongs. */
export function encodePayReq(invoice: Invoice, privateKey: Uint8Array): string {
  const { memo, descriptionHash, valueMsat } = invoice
  if (Buffer.byteLength(memo) > MAX_MEMO_BYTES) {
    const text = `memo too large: ${Buffer.byteLength(memo)} bytes (maxsize=${MAX_MEMO_BYTES})`
    throw new Refusal(UNKNOWN, text)
  }
  return encodeInvoice(
    {
      network: 'bcrt',
      amountMsat: valueMsat > 0n ? valueMsat : undefined,
      timestampSeconds: Number(invoice.creationDate),
      paymentHash: invoice.rHash,
      paymentSecret: invoice.paymentAddr,
      description: descriptionHash.length > 0 ? descriptionHash : memo,
      expirySeconds: Number(invoice.expiry),
      minFinalCltvExpiry: Number(invoice.cltvExpiry),
      features: FEATURES,
    },
    privateKey,
  )
}

/** What a payment request says. Throws `Refusal` for what is none, is of another network or is not signed. */
export function decodePayReq(text: string): PayReq {
  const { invoice, payee } = read(text)
  const { amountMsat = 0n } = invoice
  return create(PayReqSchema, {
    destination: toHex(payee),
    paymentHash: toHex(invoice.paymentHash),
    numSatoshis: amountMsat / 1000n,
    numMsat: amountMsat,
    timestamp: BigInt(invoice.createdAtMs / 1000),
    expiry: BigInt((invoice.expiresAtMs - invoice.createdAtMs) / 1000),
    description: invoice.description ?? '',
    descriptionHash: invoice.descriptionHash ? toHex(invoice.descriptionHash) : '',
    cltvExpiry: BigInt(invoice.minFinalCltvExpiry ?? 0),
    paymentAddr: invoice.paymentSecret ?? new Uint8Array(),
  })
}

function read(text: string): { readonly invoice: DecodedInvoice; readonly payee: Uint8Array } {
  try {
    const invoice = decodeInvoice(text)
    if (invoice.network !== 'regtest') {
      throw new Refusal(UNKNOWN, "invoice not for current active network 'regtest'")
    }
    return { invoice, payee: payeeOf(invoice.paymentRequest) }
  } catch (reason) {
    if (reason instanceof PinholeError) throw new Refusal(UNKNOWN, reason.message)
    throw reason
  }
}
