/** Where our database is when the configuration names an Aperture's. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'

/** Name of our database beside an Aperture's. */
const OWN_NAME = 'pinhole.db'

/** A database file of ours. */
export interface DatabasePlace {
  readonly file: string
  /** The Aperture's database that the configuration names in its place. */
  readonly aperture: string | undefined
}

/**
 * Our database for the file that `sqlite.databasefilename` names: that file, or `pinhole.db` beside it when it
 * is an Aperture's, so that an `aperture.yaml` serves both. The file is only read.
 */
export function databasePlace(configured: string): DatabasePlace {
  if (!existsSync(configured) || !readsAsAperture(configured)) {
    return { file: configured, aperture: undefined }
  }
  return { file: path.join(path.dirname(configured), OWN_NAME), aperture: configured }
}

/** Whether these tables are an Aperture's. */
export const areApertures = (tables: readonly string[]): boolean =>
  tables.includes('schema_migrations') && tables.includes('secrets')

/** Names of the tables of a database. */
export const tablesOf = (database: Database): readonly string[] =>
  database.prepare<[], string>("select name from sqlite_schema where type = 'table'").pluck().all()

/** What cannot be read is left to who opens it for good, and says why. */
function readsAsAperture(file: string): boolean {
  let database: Database | undefined
  try {
    // With a log beside the file, only a connection that cannot write leaves both as they are. Without one, only
    // a connection that can write takes away, unused, the log that it makes.
    const readonly = existsSync(`${file}-wal`)
    database = new Sqlite(file, { readonly, fileMustExist: true })
    return areApertures(tablesOf(database))
  } catch {
    return false
  } finally {
    database?.close()
  }
}
