/** What a hub keeps on disk: one SQLite database. */
import type { Database } from 'better-sqlite3'
import { type Clock, systemClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import type { PoolStore, SettleIndexStore } from '../invoices/pool-store.ts'
import { backupDatabase } from './backup.ts'
import { openDatabase } from './database.ts'
import { storeError } from './failure.ts'
import { type Imported, imported } from './imported.ts'
import { nodeRows, type NodeRows } from './node-rows.ts'
import { InvoicePool } from './pool.ts'
import { type SaleFeed, Sales } from './sales.ts'
import { serviceRows, type ServiceRows } from './service-rows.ts'
import { SettleIndexes } from './settle-indexes.ts'
import { WriterThread } from './thread.ts'
import { type StoredTokens, storedTokens } from './tokens.ts'
import { type Transactions, transactions } from './transactions.ts'
import { Writer } from './writer.ts'

/** An open database. Everything that writes shares one writer, in the order of the calls. */
export interface Store {
  readonly tokens: StoredTokens
  readonly transactions: Transactions
  readonly sales: SaleFeed
  readonly invoices: PoolStore
  readonly settleIndexes: SettleIndexStore
  readonly nodes: NodeRows
  readonly imported: Imported
  readonly services: ServiceRows
  /**
   * Copies the database, as it is on disk, into a new `file` that its owner alone may read, while it is used. Resolves to its
   * size in bytes. Rejects with `ERR_STORE_OPEN`, and then there is no such file.
   */
  backup(file: string): Promise<number>
  /** Whether what is written does not reach the disk at present. */
  readonly failing: boolean
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

/**
 * Opens the database in `file`, or makes it, readable for its owner alone. Throws `ERR_STORE_OPEN` or
 * `ERR_STORE_SCHEMA`.
 */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const database = openDatabase(file, options.skipMigrations)
  try {
    return storeOf(database, file, options)
  } catch (reason) {
    database.close()
    throw storeError(file, reason)
  }
}

function storeOf(database: Database, file: string, options: StoreOptions): Store {
  const { clock = systemClock, log = silentLog } = options
  // This connection reads; the writer's thread has one of its own.
  database.pragma('query_only = ON')
  const writer = new Writer({ file, thread: new WriterThread(file), clock, log })
  const pool = new InvoicePool(database, writer)
  const indexes = new SettleIndexes(database, writer)
  const traces = {
    forget(node: string) {
      pool.forget(node)
      indexes.forget(node)
    },
    forgetInvoices: (node: string) => pool.forget(node),
  }
  const sales = new Sales(log)
  const sold = transactions(database, writer, sales)
  const sale = (identifierHash: Uint8Array) => sold.list({ identifierHash })
  return {
    tokens: storedTokens({ database, writer, pool, sales, sale, clock, log }),
    transactions: sold,
    sales,
    invoices: pool,
    settleIndexes: indexes,
    nodes: nodeRows(database, writer, traces),
    imported: imported(database, writer),
    services: serviceRows(database, writer),
    backup: (file) => backupDatabase(database, file),
    get failing() {
      return writer.failing
    },
    async close() {
      await writer.close()
      database.close()
    },
  }
}
