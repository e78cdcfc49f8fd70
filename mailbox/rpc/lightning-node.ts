/** The paired node: what a paywall and a pairing screen need, typed; everything else by `rpc`. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Invoices, type CancelInvoiceResp } from './gen/invoices_pb.ts'
import {
  Lightning,
  type AddInvoiceResponse,
  type ChannelBalanceResponse,
  type CheckMacPermRequestSchema,
  type GetInfoResponse,
  type Invoice,
  type InvoiceSchema,
  type InvoiceSubscriptionSchema,
  type ListChannelsRequestSchema,
  type ListChannelsResponse,
  type PayReq,
  type Payment,
} from './gen/lightning_pb.ts'
import {
  Router,
  type SendPaymentRequestSchema,
  type TrackPaymentRequestSchema,
} from './gen/router_pb.ts'
import { nodeRpc, type NodeRpc } from './node-rpc.ts'
import type { CallOptions, Rpc } from './rpc.ts'

/**
 * A Lightning node behind an `Rpc`. Names and fields are lnd's; 64-bit integers are `bigint`, bytes are
 * `Uint8Array`, times are seconds since 1970. Errors as in `Rpc`.
 */
export class LightningNode {
  /** Any other method of the node. */
  readonly rpc: NodeRpc

  constructor(rpc: Rpc) {
    this.rpc = nodeRpc(rpc)
  }

  /** Who the node is, on which network, and whether it is synced. */
  getInfo(options?: CallOptions): Promise<GetInfoResponse> {
    return this.rpc.call(Lightning.method.getInfo, {}, options)
  }

  /** Makes an invoice. Commonly set: `valueMsat` (or `value` in satoshis), `memo`, `expiry` in seconds, `rPreimage`. */
  addInvoice(
    invoice: MessageInitShape<typeof InvoiceSchema>,
    options?: CallOptions,
  ): Promise<AddInvoiceResponse> {
    return this.rpc.call(Lightning.method.addInvoice, invoice, options)
  }

  /** The invoice of a 32-byte payment hash; `ERR_NODE_CALL` with gRPC code NotFound when there is none. */
  lookupInvoice(paymentHash: Uint8Array, options?: CallOptions): Promise<Invoice> {
    return this.rpc.call(Lightning.method.lookupInvoice, { rHash: paymentHash }, options)
  }

  /**
   * Invoices as they are added and settled. With indexes, what happened after them comes first, so a
   * subscriber that keeps the last ones misses nothing.
   */
  subscribeInvoices(
    from: MessageInitShape<typeof InvoiceSubscriptionSchema> = {},
    options?: CallOptions,
  ): AsyncIterable<Invoice> {
    return this.rpc.callStream(Lightning.method.subscribeInvoices, from, options)
  }

  /** Cancels the open invoice of a payment hash. */
  cancelInvoice(paymentHash: Uint8Array, options?: CallOptions): Promise<CancelInvoiceResp> {
    return this.rpc.call(Invoices.method.cancelInvoice, { paymentHash }, options)
  }

  /** What a BOLT 11 invoice says. */
  decodePayReq(payReq: string, options?: CallOptions): Promise<PayReq> {
    return this.rpc.call(Lightning.method.decodePayReq, { payReq }, options)
  }

  /**
   * Pays; each change of the payment comes, the last one SUCCEEDED or FAILED. Set `timeoutSeconds` and a
   * fee limit. The payment goes on at the node when the loop is left: `trackPaymentV2` finds it again.
   */
  sendPaymentV2(
    payment: MessageInitShape<typeof SendPaymentRequestSchema>,
    options?: CallOptions,
  ): AsyncIterable<Payment> {
    return this.rpc.callStream(Router.method.sendPaymentV2, payment, options)
  }

  /** The changes of a payment that was sent before, by its payment hash. */
  trackPaymentV2(
    payment: MessageInitShape<typeof TrackPaymentRequestSchema>,
    options?: CallOptions,
  ): AsyncIterable<Payment> {
    return this.rpc.callStream(Router.method.trackPaymentV2, payment, options)
  }

  /** Whether a macaroon has the given permissions, or those of `fullMethod`. */
  async checkMacaroonPermissions(
    request: MessageInitShape<typeof CheckMacPermRequestSchema>,
    options?: CallOptions,
  ): Promise<boolean> {
    const answer = await this.rpc.call(Lightning.method.checkMacaroonPermissions, request, options)
    return answer.valid
  }

  /** The open channels with their balances. */
  listChannels(
    filter: MessageInitShape<typeof ListChannelsRequestSchema> = {},
    options?: CallOptions,
  ): Promise<ListChannelsResponse> {
    return this.rpc.call(Lightning.method.listChannels, filter, options)
  }

  /** What all channels hold together. */
  channelBalance(options?: CallOptions): Promise<ChannelBalanceResponse> {
    return this.rpc.call(Lightning.method.channelBalance, {}, options)
  }
}
