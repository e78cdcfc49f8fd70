/** What the invoices keep on disk. `src/store` implements these; every call may throw when the disk fails. */
import type { InvoiceIndexes } from './node.ts'

/** An invoice that was made ahead of its request. */
export interface PooledInvoice {
  /** Name of the node that made it. */
  readonly node: string
  readonly amountMsat: bigint
  /** BOLT 11. */
  readonly paymentRequest: string
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** How many invoices of one price of one node are kept. */
export interface PoolCount {
  readonly node: string
  readonly amountMsat: bigint
  readonly count: number
}

/** Keeps invoices until they are given out, each once. */
export interface PoolStore {
  /**
   * Keeps them; many calls at once may share a commit. An invoice may be taken once its promise has resolved,
   * not before. One whose payment hash is kept already is left out.
   */
  add(invoices: readonly PooledInvoice[]): Promise<void>
  /**
   * Takes out, for ever, an invoice that expires at `notBeforeExpiryMs` or later, the soonest to expire first.
   * This is on disk no later than any `TokenStore.add` that is called afterwards, so that no client sees an
   * invoice that a crash brings back; until then a crash may bring it back.
   */
  take(node: string, amountMsat: bigint, notBeforeExpiryMs: number): PooledInvoice | undefined
  /** What is kept, without prices of which nothing is. */
  counts(): readonly PoolCount[]
  /** Forgets all invoices of a price; returns how many those were. */
  drop(node: string, amountMsat: bigint): number
  /** Forgets what expires before `nowMs`. */
  pruneExpired(nowMs: number): void
}

/** Keeps, by node, how far its invoice stream was heard. */
export interface SettleIndexStore {
  /** Zeros for a node never heard. */
  load(node: string): InvoiceIndexes
  save(node: string, indexes: InvoiceIndexes): void
}

/** Keeps which sales are paid. */
export interface SettlementStore {
  /**
   * Marks the transaction of this payment hash as settled, on disk when it returns (or in the same commit as
   * the next `SettleIndexStore.save`). Returns whether that is news: `false` for one that is settled already or
   * is none of ours.
   */
  settle(paymentHash: Uint8Array, settledAtMs: number): boolean
  /** Whether the transaction of this payment hash is settled. */
  isSettled(paymentHash: Uint8Array): boolean
}
