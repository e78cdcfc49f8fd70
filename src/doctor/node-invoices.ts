/** `lnrpc.Lightning/ListInvoices`, which nothing else here asks: what a node has received, in pages. */
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import {
  type Invoice,
  Invoice_InvoiceState,
  InvoiceSchema,
} from '../../mailbox/rpc/gen/lightning_pb.ts'
import type { Rpc } from '../../mailbox/rpc/rpc.ts'

/** The method, for permissions. */
export const LIST_INVOICES = '/lnrpc.Lightning/ListInvoices'
/** Invoices of some 1 KiB each stay far below what a call may answer. */
const PAGE = 1_000n
const TIMEOUT_MS = 20_000

/** Fields of lnd's messages. */
const REQUEST = { indexOffset: 4, numMaxInvoices: 5 } as const
const RESPONSE = { invoices: 1, lastIndexOffset: 2 } as const

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
    const request = new BinaryWriter()
      .tag(REQUEST.indexOffset, 0)
      .uint64(offset)
      .tag(REQUEST.numMaxInvoices, 0)
      .uint64(PAGE)
      .finish()
    const answer = await rpc.unary(LIST_INVOICES, request, { signal, timeoutMs: TIMEOUT_MS })
    const { invoices, last } = readPage(answer)
    for (const { state, rHash, amtPaidMsat } of invoices) {
      if (state === Invoice_InvoiceState.SETTLED) yield { paymentHash: rHash, msat: amtPaidMsat }
    }
    if (invoices.length === 0 || last <= offset) return
    offset = last
  }
}

function readPage(bytes: Uint8Array): {
  readonly invoices: readonly Invoice[]
  readonly last: bigint
} {
  const reader = new BinaryReader(bytes)
  const invoices: Invoice[] = []
  let last = 0n
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === RESPONSE.invoices) invoices.push(fromBinary(InvoiceSchema, reader.bytes()))
    else if (field === RESPONSE.lastIndexOffset) last = BigInt(reader.uint64())
    else reader.skip(wireType)
  }
  return { invoices, last }
}
