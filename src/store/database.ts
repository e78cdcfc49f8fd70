/** Opens the database file: whose it is, who may read it, how it is written. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import path from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { PinholeError } from '../base/errors.ts'
import { areApertures, tablesOf } from './aperture/beside.ts'
import { MOVED, storeError } from './failure.ts'
import { APPLICATION_ID, migrate, SCHEMA_VERSION, schemaVersion } from './migrations.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700
/**
 * Pages in the log before they go to the file: 16 MiB. Hashes are spread over the whole file, so that every
 * batch changes many pages; with SQLite's own 1,000 a third fewer tokens are stored each second.
 */
const CHECKPOINT_PAGES = 4_000
/** How long to wait for another process, such as `pinhole import`, to end its transaction. */
const BUSY_TIMEOUT_MS = 10_000

/**
 * Opens `file`, or makes it, and brings its schema up to date. Throws `ERR_STORE_OPEN` for a file that cannot
 * be read or written or is no database, `ERR_STORE_SCHEMA` for a database of a newer version or of another
 * program.
 */
export function openDatabase(file: string, skipMigrations = false): Database {
  let database: Database | undefined
  try {
    makePrivate(file)
    database = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS })
    // Before the first write: a file of another program stays as it is.
    const current = identify(database, file)
    if (!current && skipMigrations) throw outdated(file)
    configure(database)
    if (!current) migrate(database)
    return database
  } catch (reason) {
    database?.close()
    throw storeError(file, reason)
  }
}

/** Opens `file`, which `openDatabase` has brought up to date, once more. */
export function reopenDatabase(file: string): Database {
  const database = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true })
  configure(database)
  return database
}

/** Which file lies at `name`; `undefined` when there is none. */
export function fileAt(name: string): string | undefined {
  const found = statSync(name, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

/**
 * What throws as soon as `file`, which was `opened`, or its write-ahead log lies there no more. SQLite goes on to write to a
 * file that was deleted, and all of it would be gone with the process.
 */
export function checkPlace(file: string, opened: string | undefined): () => void {
  const log = `${file}-wal`
  let openedLog: string | undefined
  return () => {
    opened ??= fileAt(file)
    openedLog ??= fileAt(log)
    if (fileAt(file) === opened && fileAt(log) === openedLog) return
    throw new Sqlite.SqliteError(`${file} or ${log} was removed or replaced`, MOVED)
  }
}

/** A database in memory with our schema, for a rehearsal. */
export function scratchDatabase(): Database {
  const database = new Sqlite(':memory:')
  migrate(database)
  return database
}

/** SQLite gives `-wal` and `-shm` the mode of the file itself. */
function makePrivate(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER })
  // An existing file is not opened here: closing it would drop the locks that SQLite holds on it.
  if (!existsSync(file)) closeSync(openSync(file, 'a', OWNER_ONLY_FILE))
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) chmodSync(file + suffix, OWNER_ONLY_FILE)
  }
}

/** Whether the schema is the newest; throws when the file is not ours. */
function identify(database: Database, file: string): boolean {
  const version = schemaVersion(database)
  const application = Number(database.pragma('application_id', { simple: true }))
  const tables = tablesOf(database)
  if (application !== APPLICATION_ID && (version !== 0 || tables.length > 0)) {
    const whose = areApertures(tables)
      ? "Aperture's: bring it over by pinhole import, into another file"
      : 'the database of another program'
    throw new PinholeError('ERR_STORE_SCHEMA', `${file} is ${whose}`)
  }
  if (version > SCHEMA_VERSION) {
    const text = `the schema of ${file} has version ${version}, newer than ${SCHEMA_VERSION}`
    throw new PinholeError('ERR_STORE_SCHEMA', text)
  }
  return version === SCHEMA_VERSION
}

const outdated = (file: string) =>
  new PinholeError(
    'ERR_STORE_SCHEMA',
    `the schema of ${file} is older than version ${SCHEMA_VERSION}, and sqlite.skipmigrations is set`,
  )

function configure(database: Database): void {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  // macOS alone needs these for a sync that reaches the disk.
  database.pragma('fullfsync = ON')
  database.pragma('checkpoint_fullfsync = ON')
  database.pragma('foreign_keys = ON')
  // What is deleted is overwritten: root keys, keys of nodes.
  database.pragma('secure_delete = ON')
}
