/** What was offered and what was paid. */
import type { SettlementStore } from '../invoices/pool-store.ts'

/** State of a transaction: offered, or paid. */
export type TransactionState = 'pending' | 'settled'

/** One offer of a token. */
export interface Transaction {
  readonly id: number
  readonly state: TransactionState
  /** `l402`; imported rows may say `mpp_charge`. */
  readonly authType: string
  /** 32 bytes; only imported rows lack it. */
  readonly tokenId: Uint8Array | undefined
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** 32 bytes; only imported rows lack it. */
  readonly identifierHash: Uint8Array | undefined
  readonly service: string
  readonly priceMsat: bigint
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  /** Milliseconds since 1970. */
  readonly settledAtMs: number | undefined
  /** Came from an Aperture. */
  readonly imported: boolean
  /** Whether its token is accepted once paid: not revoked. */
  readonly valid: boolean
}

/** Which transactions are meant; all without a field. */
export interface TransactionFilter {
  readonly service?: string | undefined
  readonly state?: TransactionState | undefined
  readonly authType?: string | undefined
  readonly tokenId?: Uint8Array | undefined
  /** Settled at this time or later, in milliseconds since 1970. */
  readonly settledFromMs?: number | undefined
  /** Settled at this time or earlier, in milliseconds since 1970. */
  readonly settledToMs?: number | undefined
}

/** Which part of a list is meant. */
export interface Page {
  /** 1 to 1,000; 100 without one. */
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** What a service has earned. */
export interface Revenue {
  readonly service: string
  /** Settled transactions. */
  readonly count: number
  readonly msat: bigint
}

/** Reads and prunes transactions. */
export interface Transactions extends SettlementStore {
  /** Newest first. */
  list(filter?: TransactionFilter, page?: Page): readonly Transaction[]
  count(filter?: TransactionFilter): number
  /** Of settled transactions that fit the filter, by name of the service. */
  revenue(filter?: TransactionFilter): readonly Revenue[]
  /**
   * Forgets offers made before `createdBeforeMs` that nobody paid, with their root keys; resolves to how many.
   * Settled and imported ones stay for ever: an Aperture without its admin API leaves paid ones `pending`.
   * Call it only for a time up to which all nodes have been heard.
   */
  pruneUnpaid(createdBeforeMs: number): Promise<number>
}
