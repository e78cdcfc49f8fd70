/** What a hub keeps on disk: one SQLite database. */
import type { TokenStore } from '../../proxy/token-store.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { PoolStore, SettleIndexStore } from '../invoices/pool-store.ts'
import type { Imported } from './imported.ts'
import type { NodeRows } from './node-rows.ts'
import type { Transactions } from './transactions.ts'

/** Keeps root keys and transactions, and takes tokens back. */
export interface StoredTokens extends TokenStore {
  /** Deletes the root key for good, then tells the listeners; resolves to whether there was one. */
  revoke(identifierHash: Uint8Array): Promise<boolean>
}

/** An open database. Everything that writes shares one writer, in the order of the calls. */
export interface Store {
  readonly tokens: StoredTokens
  readonly transactions: Transactions
  readonly invoices: PoolStore
  readonly settleIndexes: SettleIndexStore
  readonly nodes: NodeRows
  readonly imported: Imported
  /** Waits for what is being written, then closes the file. */
  close(): Promise<void>
}

/** What a store is opened with. */
export interface StoreOptions {
  readonly clock?: Clock
  readonly log?: Log
  /** Refuse a database of an older version in place of bringing it up to date. */
  readonly skipMigrations?: boolean
}
