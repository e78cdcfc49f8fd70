/** The port through which the paywall gets invoices. What is behind it (a node, a pool) is not its business. */

/** Which invoice is wanted. */
export interface InvoiceRequest {
  readonly amountMsat: bigint
  /** Name of the node; the backend's own choice without one. */
  readonly node: string | undefined
}

/** An invoice that was given out to nobody else. */
export interface Invoice {
  /** BOLT 11. */
  readonly paymentRequest: string
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  readonly amountMsat: bigint
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** Makes invoices and knows which are paid. */
export interface InvoiceBackend {
  /**
   * An invoice for one challenge. Rejects with `ERR_INVOICE_UNAVAILABLE` when no node can be asked and no
   * invoice is left; its `retryAfterMs` says when to come back.
   */
  invoice(request: InvoiceRequest): Promise<Invoice>
  /** Whether the invoice of this payment hash is settled, waiting up to `withinMs` for it (strictverify). */
  settled(paymentHash: Uint8Array, withinMs: number): Promise<boolean>
  /**
   * The preimage of a settled invoice, which its own node tells: with it a browser gets the credential that
   * its person has paid for. `undefined` when the invoice is not settled or the node cannot be asked.
   */
  preimage(paymentHash: Uint8Array): Promise<Uint8Array | undefined>
}
