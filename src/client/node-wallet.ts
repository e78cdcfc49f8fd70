/** Pays from a Lightning node (lnd's router). Payments go on at the node when this process is gone. */
import { fromHex } from '../base/bytes.ts'
import { GrpcCode, isPinholeError, PinholeError } from '../base/errors.ts'
import { checkKinds, withMethods } from '../base/kinds.ts'
import { decodeInvoice } from '../bolt11/decode.ts'
import {
  type Payment as NodePayment,
  Payment_PaymentStatus,
  PaymentFailureReason,
} from '../../mailbox/rpc/gen/lightning_pb.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import type { Payment, PaymentState, PayOptions, Wallet } from './wallet.ts'

/** Seconds in which the node has to find a route. */
const ROUTE_SECONDS = 60
/** How long to wait for the end of a payment, in milliseconds. */
const PAYMENT_TIMEOUT_MS = 90_000

/** What of a node pays. */
export type PayingNode = Pick<LightningNode, 'sendPaymentV2' | 'trackPaymentV2'>

const NODE = withMethods(['sendPaymentV2', 'trackPaymentV2'], 'as connect() resolves with')

/** A wallet on `node`. What is no answer to a payment is thrown as the node's error. */
export function nodeWallet(node: PayingNode): Required<Wallet> {
  checkKinds({ node }, { node: NODE }, ['node'])
  return {
    pay: (invoice, options) => pay(node, invoice, options),
    lookup: async (paymentHash) => {
      // Open payments are told at once, and then again when they end: the first word is enough.
      const last = await lastOf(track(node, paymentHash, false), 'first')
      return last === undefined ? { name: 'unknown' } : stateOf(last)
    },
  }
}

async function pay(
  node: PayingNode,
  invoice: string,
  { maxFeeMsat, signal }: PayOptions,
): Promise<Payment> {
  const { paymentHash } = decodeInvoice(invoice)
  const options = { timeoutMs: PAYMENT_TIMEOUT_MS, ...(signal ? { signal } : {}) }
  const sent = node.sendPaymentV2(
    {
      paymentRequest: invoice,
      feeLimitMsat: maxFeeMsat,
      timeoutSeconds: ROUTE_SECONDS,
      noInflightUpdates: true,
    },
    options,
  )
  const state = await lastOf(sent, 'last').catch(async (reason: unknown) => {
    if (!isPinholeError(reason, 'ERR_NODE_CALL')) throw reason
    const earlier = await lastOf(track(node, paymentHash, true), 'last')
    // The node refused to begin, and knows of no payment.
    if (!earlier) throw failed(reason.message, reason)
    return earlier
  })
  return outcome(state && stateOf(state))
}

function outcome(state: NodeState | undefined): Payment {
  switch (state?.name) {
    case 'paid':
      return state
    case 'failed':
      throw failed(state.reason)
    case 'pending':
    case undefined:
      throw new PinholeError('ERR_PAYMENT_PENDING', 'the node has not told how the payment ended')
  }
}

/** The changes of a payment, the last one its end; none when the node knows no such payment. */
async function* track(
  node: PayingNode,
  paymentHash: Uint8Array,
  noInflightUpdates: boolean,
): AsyncIterable<NodePayment> {
  try {
    const options = { timeoutMs: PAYMENT_TIMEOUT_MS }
    yield* node.trackPaymentV2({ paymentHash, noInflightUpdates }, options)
  } catch (reason) {
    // lnd: NotFound, or in older versions this text alone.
    if (!isPinholeError(reason, 'ERR_NODE_CALL')) throw reason
    if (reason.grpc === GrpcCode.notFound || /payment isn't initiated/.test(reason.message)) return
    throw reason
  }
}

async function lastOf(
  changes: AsyncIterable<NodePayment>,
  which: 'first' | 'last',
): Promise<NodePayment | undefined> {
  let last: NodePayment | undefined
  for await (const change of changes) {
    last = change
    if (which === 'first') break
  }
  return last
}

type NodeState =
  | Exclude<PaymentState, { readonly name: 'unknown' | 'failed' }>
  | { readonly name: 'failed'; readonly reason: string }

function stateOf({ status, paymentPreimage, feeMsat, failureReason }: NodePayment): NodeState {
  if (status === Payment_PaymentStatus.SUCCEEDED) {
    const preimage = fromHex(paymentPreimage) ?? new Uint8Array()
    return { name: 'paid', preimage, feeMsat }
  }
  if (status !== Payment_PaymentStatus.FAILED) return { name: 'pending' }
  return { name: 'failed', reason: reasonOf(failureReason) }
}

/** lnd's word for it, e.g. `no route`. */
function reasonOf(failure: PaymentFailureReason): string {
  const [name] = Object.entries(PaymentFailureReason).find(([, number]) => number === failure) ?? []
  return (name ?? 'unknown reason')
    .replace('FAILURE_REASON_', '')
    .toLowerCase()
    .replaceAll('_', ' ')
}

const failed = (why: string, cause?: unknown): PinholeError =>
  new PinholeError('ERR_PAYMENT_FAILED', `the node could not pay: ${why}`, { cause })
