/** `lnrpc.Lightning/ListInvoices`, which nothing else here asks: what a node has received, in pages. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  Invoice_InvoiceState,
  ListInvoiceRequestSchema,
  ListInvoiceResponseSchema,
} from '../../mailbox/rpc/gen/lightning_pb.ts'
import type { Rpc } from '../../mailbox/rpc/rpc.ts'

/** The method, for permissions. */
export const LIST_INVOICES = '/lnrpc.Lightning/ListInvoices'
/** Invoices of some 1 KiB each stay far below what a call may answer. */
const PAGE = 1_000n
const TIMEOUT_MS = 20_000

/** A payment that a node has received. */
export interface Received {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  readonly msat: bigint
}

/** Every settled invoice of the node, oldest first. Rejects as a call does; `ERR_NODE_PERMISSION` where it may not. */
export async function* settledInvoices(
  rpc: Pick<Rpc, 'unary'>,
  signal: AbortSignal,
): AsyncGenerator<Received, void, undefined> {
  let offset = 0n
  for (;;) {
    const asked = create(ListInvoiceRequestSchema, { indexOffset: offset, numMaxInvoices: PAGE })
    const request = toBinary(ListInvoiceRequestSchema, asked)
    const answer = await rpc.unary(LIST_INVOICES, request, { signal, timeoutMs: TIMEOUT_MS })
    const { invoices, lastIndexOffset: last } = fromBinary(ListInvoiceResponseSchema, answer)
    for (const { state, rHash, amtPaidMsat } of invoices) {
      if (state === Invoice_InvoiceState.SETTLED) yield { paymentHash: rHash, msat: amtPaidMsat }
    }
    if (invoices.length === 0 || last <= offset) return
    offset = last
  }
}
