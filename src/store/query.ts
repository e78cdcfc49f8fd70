/**
 * Kysely for what is asked seldom. It only writes the SQL: its own driver would hold transactions open across
 * turns of the event loop, on a connection that the hot path uses meanwhile.
 */
import type { Database } from 'better-sqlite3'
import {
  type Compilable,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { storeError } from './failure.ts'
import type { Tables } from './tables.ts'

/** Where queries begin. */
export const sql: Kysely<Tables> = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** All rows of a query; integers are `bigint`. Throws `ERR_STORE_OPEN` when the file cannot be read. */
export function all<Row>(database: Database, query: Compilable<Row>): readonly Row[] {
  const compiled = query.compile()
  try {
    const statement = database.prepare<unknown[], Row>(compiled.sql).safeIntegers()
    return statement.all(...compiled.parameters)
  } catch (reason) {
    throw storeError(database.name, reason)
  }
}

/** The first row of a query. */
export const first = <Row>(database: Database, query: Compilable<Row>): Row | undefined =>
  all(database, query)[0]

/** A number that is known to be small or a time, or `undefined` for a null. */
export const optionalNumber = (value: bigint | null): number | undefined =>
  value === null ? undefined : Number(value)
