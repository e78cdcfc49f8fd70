/**
 * lnd's messages, enums and services as far as Pinhole knows them: names for what `LightningNode` takes and gives,
 * and for methods that it has no function for, as in `node.rpc.call(Invoices.method.settleInvoice, { preimage })`.
 */
export { Invoices, type CancelInvoiceResp } from './gen/invoices_pb.ts'
export {
  type AddInvoiceResponse,
  type Channel,
  type ChannelBalanceResponse,
  type CheckMacPermRequest,
  type GetInfoResponse,
  type HTLCAttempt,
  type Invoice,
  Invoice_InvoiceState,
  type InvoiceHTLC,
  type InvoiceSubscription,
  Lightning,
  type ListChannelsRequest,
  type ListChannelsResponse,
  type PayReq,
  type Payment,
  Payment_PaymentStatus,
  PaymentFailureReason,
} from './gen/lightning_pb.ts'
export { Router, type SendPaymentRequest, type TrackPaymentRequest } from './gen/router_pb.ts'
