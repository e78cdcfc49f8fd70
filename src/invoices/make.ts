/** Has a node make one invoice. */
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import { traced } from '../tracing.ts'
import { withDeadline } from './deadline.ts'
import type { InvoiceNode, NodeSource } from './node.ts'
import type { InvoiceOptions } from './options.ts'
import type { Origins } from './origins.ts'
import type { PriceKey } from './pool-events.ts'
import type { PooledInvoice } from './pool-store.ts'

/** A call that its node has not ended by then, its own deadline over, is given up. */
const CALL_GRACE_MS = 1_000

const SECOND_MS = 1_000

/** What that takes. */
export interface MakeParts {
  readonly nodes: NodeSource
  readonly options: InvoiceOptions
  readonly origins: Origins
  readonly clock: Clock
}

/** An invoice, the node that has made it, and its place among that node's invoices. */
export interface Made {
  readonly invoice: PooledInvoice
  readonly by: InvoiceNode
  readonly addIndex: bigint
}

/** A new invoice. Rejects with what the node's call rejects with, and for one that was given before. */
export const makeInvoice = (price: PriceKey, parts: MakeParts): Promise<Made> =>
  traced('invoice', { 'pinhole.node': price.node }, () => make(price, parts))

async function make(price: PriceKey, parts: MakeParts): Promise<Made> {
  const { nodes, options, clock, origins } = parts
  const { node: name, amountMsat } = price
  const node = nodes.get(name)
  if (!node) throw new PinholeError('ERR_NODE_UNKNOWN', `there is no node ${name}`)
  const expirySeconds = Math.max(1, Math.floor(options.expiry / SECOND_MS))
  // The node counts from when it makes the invoice, which is later than this.
  const expiresAtMs = clock.wall() + expirySeconds * SECOND_MS
  const { memo, timeout: timeoutMs } = options
  const asked = node.addInvoice({ amountMsat, memo, expirySeconds, timeoutMs })
  const made = await withDeadline(asked, timeoutMs + CALL_GRACE_MS, clock, () => {
    return new PinholeError('ERR_NODE_TIMEOUT', `node ${name} has not answered`)
  })
  if (!origins.add(made.paymentHash, name)) {
    throw new PinholeError('ERR_NODE_CALL', `node ${name} answered with an invoice of before`)
  }
  const { paymentRequest, paymentHash, addIndex } = made
  const invoice = { node: name, amountMsat, paymentRequest, paymentHash, expiresAtMs }
  return { invoice, by: node, addIndex }
}
