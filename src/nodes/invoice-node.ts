/** A node as the invoices see it: lnd's messages read, its errors told apart. */
import type { Clock } from '../base/clock.ts'
import { GrpcCode, isPinholeError } from '../base/errors.ts'
import type {
  InvoiceEvent,
  InvoiceIndexes,
  InvoiceNode,
  InvoiceStatus,
  InvoiceTerms,
  MadeInvoice,
} from '../invoices/node.ts'
import { type Invoice, Invoice_InvoiceState } from '../../mailbox/rpc/gen/lightning_pb.ts'
import { traced } from '../tracing.ts'
import type { Line, Standing } from './line.ts'

/** How long to wait for what the node says of one invoice, in milliseconds. */
const LOOKUP_TIMEOUT_MS = 15_000

const SERVICE = 'lnrpc.Lightning'

/** lnd before 0.15 has no code of its own for this. */
const UNKNOWN_INVOICE = /unable to locate invoice|there are no existing invoices/

const STATES: Readonly<Record<Invoice_InvoiceState, InvoiceStatus['state']>> = {
  [Invoice_InvoiceState.OPEN]: 'open',
  [Invoice_InvoiceState.SETTLED]: 'settled',
  [Invoice_InvoiceState.CANCELED]: 'canceled',
  [Invoice_InvoiceState.ACCEPTED]: 'accepted',
}

/** The node at the end of a line. */
export class LineInvoiceNode implements InvoiceNode {
  readonly name: string
  readonly #line: Line
  readonly #clock: Clock

  constructor(line: Line, clock: Clock) {
    this.name = line.name
    this.#line = line
    this.#clock = clock
  }

  get state(): Standing['name'] {
    return this.#line.standing.name
  }

  onReady(listener: () => void): () => void {
    return this.#line.onChange(({ name }) => name === 'ready' && listener())
  }

  /** Waits for a node that is being connected to, not for one that is away, also when that happens meanwhile. */
  async addInvoice({
    amountMsat,
    memo,
    expirySeconds,
    timeoutMs,
  }: InvoiceTerms): Promise<MadeInvoice> {
    const deadline = this.#clock.now() + timeoutMs
    const node = await this.#line.whenReady(timeoutMs)
    const leaving = new AbortController()
    const stop = this.#line.onChange(({ name }) => {
      if (name === 'away') leaving.abort(this.#line.offline())
    })
    try {
      const request = { valueMsat: amountMsat, memo, expiry: BigInt(expirySeconds) }
      const left = Math.max(1, deadline - this.#clock.now())
      const { paymentRequest, rHash, addIndex } = await this.#traced('AddInvoice', () =>
        node.addInvoice(request, { timeoutMs: left, signal: leaving.signal }),
      )
      return { paymentRequest, paymentHash: rHash, addIndex }
    } finally {
      stop()
    }
  }

  async *subscribeInvoices(
    { addIndex, settleIndex }: InvoiceIndexes,
    signal: AbortSignal,
  ): AsyncGenerator<InvoiceEvent, void, undefined> {
    const { standing } = this.#line
    if (standing.name !== 'ready') throw this.#line.offline()
    const invoices = standing.node.subscribeInvoices({ addIndex, settleIndex }, { signal })
    for await (const invoice of invoices) yield eventOf(invoice)
  }

  async lookupInvoice(paymentHash: Uint8Array): Promise<InvoiceStatus | undefined> {
    const node = await this.#line.whenReady(LOOKUP_TIMEOUT_MS)
    const options = { timeoutMs: LOOKUP_TIMEOUT_MS }
    const invoice = await this.#traced('LookupInvoice', () =>
      node.lookupInvoice(paymentHash, options).catch((reason: unknown) => {
        if (isUnknownInvoice(reason)) return undefined
        throw reason
      }),
    )
    if (!invoice) return undefined
    const state = STATES[invoice.state]
    return { state, preimage: state === 'settled' ? invoice.rPreimage : undefined }
  }

  #traced<T>(method: string, call: () => Promise<T>): Promise<T> {
    const rpc = { 'rpc.system': 'grpc', 'rpc.service': SERVICE, 'rpc.method': method }
    return traced(`${SERVICE}/${method}`, { ...rpc, 'pinhole.node': this.name }, call)
  }
}

function eventOf(invoice: Invoice): InvoiceEvent {
  const settled = invoice.state === Invoice_InvoiceState.SETTLED
  return {
    paymentHash: invoice.rHash,
    settled,
    settledAtMs: settled ? Number(invoice.settleDate) * 1_000 : 0,
    addIndex: invoice.addIndex,
    settleIndex: invoice.settleIndex,
  }
}

const isUnknownInvoice = (reason: unknown): boolean =>
  isPinholeError(reason, 'ERR_NODE_CALL') &&
  (reason.grpc === GrpcCode.notFound || UNKNOWN_INVOICE.test(reason.message))
