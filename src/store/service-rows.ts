/** Services that were made, changed or removed while the hub ran, and the prices that services had. */
import type { Database } from 'better-sqlite3'
import { all, sql } from './query.ts'
import type { Writer } from './writer.ts'

/** One service. Times are milliseconds since 1970. */
export interface ServiceRow {
  readonly name: string
  /** JSON of whoever stores the row; `undefined` for one of the configuration's that was removed. */
  readonly settings: string | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** One price that a service had. */
export interface ServicePrice {
  readonly service: string
  readonly priceSat: number
  /** Milliseconds since 1970. */
  readonly sinceMs: number
  /** What set it. */
  readonly by: 'config' | 'admin' | 'import'
}

/** Keeps services by name. Writes reject with `ERR_STORE_OPEN` when the disk fails. */
export interface ServiceRows {
  /** In the order in which they were made. */
  list(): readonly ServiceRow[]
  /** Adds the service or replaces the one of that name, with the prices that change by it, in one commit. */
  put(row: ServiceRow, prices: readonly ServicePrice[]): Promise<void>
  /** Forgets that there was anything of that name; its prices stay. */
  drop(name: string): Promise<void>
  /** Prices of a service, newest first. */
  prices(name: string): readonly ServicePrice[]
  /** Adds prices, sooner or later. */
  notePrices(prices: readonly ServicePrice[]): void
}

const ROWS = sql.selectFrom('service_entries').selectAll().orderBy('created_ms').orderBy('name')

/** The rows of an open database, in the order in which they were made. */
export const keptRows = (database: Database): readonly ServiceRow[] =>
  all(database, ROWS).map((row) => ({
    name: row.name,
    settings: row.settings ?? undefined,
    createdAtMs: Number(row.created_ms),
    updatedAtMs: Number(row.updated_ms),
  }))

/** The services of an open database. */
export function serviceRows(database: Database, writer: Writer): ServiceRows {
  const prices = sql.selectFrom('service_prices').selectAll().orderBy('id', 'desc')
  return {
    list: () => keptRows(database),
    async put(row, changed) {
      await writer.ask({ name: 'put service', row, prices: changed })
    },
    async drop(name) {
      await writer.ask({ name: 'drop service', service: name })
    },
    prices: (name) =>
      all(database, prices.where('service', '=', name)).map((row) => ({
        service: row.service,
        priceSat: Number(row.price_sat),
        sinceMs: Number(row.since_ms),
        by: row.set_by === 'config' || row.set_by === 'import' ? row.set_by : 'admin',
      })),
    notePrices(noted) {
      if (noted.length > 0) writer.keep({ name: 'note prices', prices: noted })
    },
  }
}
