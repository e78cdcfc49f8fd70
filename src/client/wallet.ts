/** Who pays: the port of the paying client. */

/** What a payment came to. */
export interface Payment {
  /** 32 bytes; its SHA-256 is the payment hash. */
  readonly preimage: Uint8Array
  /** What the route cost, where the wallet says so. */
  readonly feeMsat?: bigint | undefined
}

/** How to pay. */
export interface PayOptions {
  /** Most that the route may cost. */
  readonly maxFeeMsat: bigint
  readonly signal?: AbortSignal | undefined
}

/** What a wallet knows of a payment. */
export type PaymentState =
  | ({ readonly name: 'paid' } & Payment)
  /** Under way: it may still come to either end. */
  | { readonly name: 'pending' }
  /** Ended without money having left. */
  | { readonly name: 'failed' }
  /** Never begun. */
  | { readonly name: 'unknown' }

/** Pays BOLT 11 invoices. */
export interface Wallet {
  /**
   * Pays an invoice that says its amount. An invoice that this wallet has paid or begun to pay is not paid
   * twice: its payment is waited for.
   *
   * Reject with `ERR_PAYMENT_FAILED` (or `ERR_NODE_PERMISSION`) when surely no money has left. After anything else the payment
   * counts as open: the same invoice comes again, and no other in its place.
   */
  pay(invoice: string, options: PayOptions): Promise<Payment>
  /** What became of a payment. With it the end of a payment is found even once its invoice has expired. */
  lookup?(paymentHash: Uint8Array): Promise<PaymentState>
}
