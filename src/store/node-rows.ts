/** The paired nodes as they lie on disk. What is secret of them arrives here sealed. */

import type { Database } from 'better-sqlite3'
import { all, first, sql } from './query.ts'
import type { Tables } from './tables.ts'
import { own } from './write.ts'
import type { Writer } from './writer.ts'

/** One paired node. */
export interface NodeRow {
  readonly name: string
  /** `lnc` is reached by Lightning Node Connect, `lnd` directly. */
  readonly kind: 'lnc' | 'lnd'
  /** Keys and address, encrypted by whoever stores the row. */
  readonly sealed: Uint8Array
  readonly alias?: string | undefined
  /** 66 hex digits. */
  readonly pubkey?: string | undefined
  readonly network?: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** Keeps paired nodes by name. Writes reject with `ERR_STORE_OPEN` when the disk fails. */
export interface NodeRows {
  /** In the order of pairing. */
  list(): readonly NodeRow[]
  get(name: string): NodeRow | undefined
  /**
   * Adds the node, or puts it in the place of `was`. Resolves, when it would survive a crash, to whether all still was as
   * `was` says, and with `false` has changed nothing: a hub and a command can both be at work.
   */
  put(row: NodeRow, was?: NodeRow): Promise<boolean>
  /**
   * Forgets the node, its pooled invoices and how far its invoice stream was heard. Resolves to whether there
   * was one.
   */
  remove(name: string): Promise<boolean>
  /** Forgets the pooled invoices of that name: another node has it now, or soon. */
  dropInvoices(name: string): Promise<void>
}

/** What else knows of a node by its name. */
export interface NodeTraces {
  forget(name: string): void
  forgetInvoices(name: string): void
}

/** All of them, in the order of pairing. */
export function storedNodes(database: Database): readonly NodeRow[] {
  const query = sql.selectFrom('nodes').selectAll()
  return all(database, query.orderBy('created_ms').orderBy('name')).map(nodeRow)
}

/** The nodes of an open database; `traces` hears of each that is removed. */
export function nodeRows(database: Database, writer: Writer, traces: NodeTraces): NodeRows {
  const query = sql.selectFrom('nodes').selectAll()
  return {
    list: () => storedNodes(database),
    get(name) {
      const row = first(database, query.where('name', '=', name))
      return row && nodeRow(row)
    },
    async put(row, was) {
      const write = { name: 'put node', row: ownRow(row), was: was && ownRow(was) } as const
      return (await writer.ask(write)) > 0
    },
    async remove(name) {
      const gone = await writer.ask({ name: 'remove node', node: name })
      traces.forget(name)
      return gone > 0
    },
    async dropInvoices(name) {
      traces.forgetInvoices(name)
      await writer.ask({ name: 'drop node', node: name })
    },
  }
}

const ownRow = (row: NodeRow): NodeRow => ({ ...row, sealed: own(row.sealed) })

const nodeRow = (row: Tables['nodes']): NodeRow => ({
  name: row.name,
  kind: row.kind,
  sealed: row.sealed,
  alias: row.alias ?? undefined,
  pubkey: row.pubkey ?? undefined,
  network: row.network ?? undefined,
  createdAtMs: Number(row.created_ms),
})
