/** How far the invoice stream of each node was heard, on disk after everything that was heard before. */
import type { Database } from 'better-sqlite3'
import type { InvoiceIndexes } from '../invoices/node.ts'
import type { SettleIndexStore } from '../invoices/pool-store.ts'
import { all, sql } from './query.ts'
import type { Writer } from './writer.ts'

const NEVER_HEARD: InvoiceIndexes = { addIndex: 0n, settleIndex: 0n }

/** The settle indexes of an open database. */
export class SettleIndexes implements SettleIndexStore {
  readonly #writer: Writer
  readonly #byNode = new Map<string, InvoiceIndexes>()

  constructor(database: Database, writer: Writer) {
    this.#writer = writer
    for (const row of all(database, sql.selectFrom('settle_indexes').selectAll())) {
      this.#byNode.set(row.node, { addIndex: row.add_index, settleIndex: row.settle_index })
    }
  }

  load(node: string): InvoiceIndexes {
    return this.#byNode.get(node) ?? NEVER_HEARD
  }

  save(node: string, { addIndex, settleIndex }: InvoiceIndexes): void {
    const indexes = { addIndex, settleIndex }
    this.#writer.keep({ name: 'index', node, indexes })
    this.#byNode.set(node, indexes)
  }

  /** The node is gone; its row is deleted together with its own. */
  forget(node: string): void {
    this.#byNode.delete(node)
  }
}
