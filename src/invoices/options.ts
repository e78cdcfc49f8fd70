/** `invoices` of the configuration, as far as the invoices need it. Durations in milliseconds. */
export interface InvoiceOptions {
  readonly memo: string
  /** How long an invoice can be paid. */
  readonly expiry: number
  /** How long a request may wait for an invoice, and a node may take for one. */
  readonly timeout: number
  readonly pool: {
    readonly enabled: boolean
    /** Most invoices made ahead for one price of one node. */
    readonly perprice: number
    /** The same in all. */
    readonly total: number
    /** One that can be paid for less than this is not given out any more. */
    readonly minlife: number
  }
}
