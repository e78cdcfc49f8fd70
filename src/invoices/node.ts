/** The nodes that invoices come from, as the invoices see them. `src/nodes` implements these. */

/** What an invoice is to say. */
export interface InvoiceTerms {
  readonly amountMsat: bigint
  readonly memo: string
  readonly expirySeconds: number
  /** How long the node may take. */
  readonly timeoutMs: number
}

/** An invoice that a node has just made. */
export interface MadeInvoice {
  /** BOLT 11. */
  readonly paymentRequest: string
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** Place in the order in which the node's invoices were made, from 1 on. */
  readonly addIndex: bigint
}

/** How far the invoices of a node have been heard of; 0 is not at all. */
export interface InvoiceIndexes {
  readonly addIndex: bigint
  readonly settleIndex: bigint
}

/** One message of a node's invoice stream: an invoice was made, or settled. */
export interface InvoiceEvent extends InvoiceIndexes {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  readonly settled: boolean
  /** Milliseconds since 1970; 0 while not settled. */
  readonly settledAtMs: number
}

/** What a node says of an invoice when asked. */
export interface InvoiceStatus {
  readonly state: 'open' | 'settled' | 'canceled' | 'accepted'
  /** 32 bytes. Only of a settled invoice: lnd names it for open ones too, where it would open what is unpaid. */
  readonly preimage?: Uint8Array | undefined
}

/** One node. All calls reject with a `PinholeError` (`ERR_NODE_…`) when it cannot be asked. */
export interface InvoiceNode {
  readonly name: string
  /** `connecting` is for a moment only, and calls wait for its end; one that is `away` refuses them. */
  readonly state: 'ready' | 'connecting' | 'away'
  /** Calls `listener` each time the state becomes `ready`; the returned function ends that. */
  onReady(listener: () => void): () => void
  /**
   * Calls `listener` when another node turns out to have the name: what the one before made, and how far it was
   * heard, is of no use. Left out where that cannot be.
   */
  onReplaced?(listener: () => void): () => void
  addInvoice(terms: InvoiceTerms): Promise<MadeInvoice>
  /**
   * First what was made after `addIndex` and settled after `settleIndex`, then everything from now on. An
   * index of 0 asks for nothing of the past (as in lnd's SubscribeInvoices). Ends or throws with the
   * connection, and when `signal` is aborted.
   */
  subscribeInvoices(indexes: InvoiceIndexes, signal: AbortSignal): AsyncIterable<InvoiceEvent>
  /** `undefined` when the node has no such invoice. */
  lookupInvoice(paymentHash: Uint8Array): Promise<InvoiceStatus | undefined>
}

/** Whether there is a point in asking the node. */
export const canBeAsked = (node: InvoiceNode | undefined): boolean =>
  node !== undefined && node.state !== 'away'

/** All nodes of a hub. */
export interface NodeSource {
  /** The node of that name, the first one without a name. */
  get(name: string | undefined): InvoiceNode | undefined
  all(): readonly InvoiceNode[]
}
