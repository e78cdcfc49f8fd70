/** What SQLite and the file system say, as errors of ours. */
import Database from 'better-sqlite3'
import { isPinholeError, PinholeError } from '../base/errors.ts'

/** For a file that is no longer where it was opened. */
export const MOVED = 'PINHOLE_MOVED'

const MEANINGS: readonly (readonly [start: string, meaning: string])[] = [
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_READONLY', 'it is not writable'],
  ['SQLITE_CANTOPEN', 'it cannot be opened'],
  ['SQLITE_BUSY', 'another process has locked it'],
  ['SQLITE_NOTADB', 'it is no SQLite database'],
  ['SQLITE_CORRUPT', 'it is damaged'],
  ['SQLITE_IOERR', 'the disk fails'],
  [
    MOVED,
    'it was removed or replaced while it was in use, and what is written now would be lost: put it back, or save what ' +
      'the hub still holds by pinhole backup before you restart it',
  ],
]

/** Errors that leave a transaction as it was; the empty code is that of a value that cannot be bound. */
const REFUSALS = /^$|^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/

/** The error's code such as `SQLITE_FULL`; empty for anything that has none. */
export function sqliteCode(reason: unknown): string {
  return reason instanceof Database.SqliteError ? reason.code : ''
}

/** What better-sqlite3 says where its install script was not allowed to run, before a list of a dozen files. */
const NO_BINDING = 'Could not locate the bindings file'

/** `reason` as `ERR_STORE_OPEN`, unless it is an error of ours. */
export function storeError(file: string, reason: unknown): PinholeError {
  if (isPinholeError(reason)) return reason
  const code = sqliteCode(reason)
  const [, meaning] = MEANINGS.find(([start]) => code.startsWith(start)) ?? []
  const text = reason instanceof Error ? reason.message : String(reason)
  const said = text.startsWith(NO_BINDING)
    ? 'the package better-sqlite3 has no binding; install with --allow-scripts=better-sqlite3'
    : (meaning ?? text)
  return new PinholeError('ERR_STORE_OPEN', `the database ${file}: ${said}`, { cause: reason })
}

/** Whether the database itself is well and refused just this write, for example a duplicate. */
export const isRefusal = (reason: unknown): boolean =>
  REFUSALS.test(sqliteCode(reason instanceof PinholeError ? reason.cause : reason))
