/**
 * A private copy of an Aperture's database. SQLite writes beside a file that it reads; the copy leaves the
 * original as it is, for a way back.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { PinholeError } from '../../base/errors.ts'
import { sqliteCode } from '../failure.ts'

/** The log of a database that was not closed, or that is open, holds rows that the file lacks. */
const PARTS = ['', '-wal', '-journal'] as const

/** An open copy. */
export interface Snapshot {
  readonly database: Database
  /** A log lies beside the file: an Aperture runs, or has been killed. */
  readonly open: boolean
  /** Closes and deletes the copy. */
  close(): void
}

/** Copies one file to another; given by tests that change it meanwhile. */
export type Copy = (from: string, to: string) => void

/** Copies the database in `file` and opens the copy. Throws `ERR_STORE_IMPORT`. */
export function takeSnapshot(file: string, copy: Copy = copyFileSync): Snapshot {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-import-'))
  const discard = () => rmSync(folder, { recursive: true, force: true })
  try {
    const before = stateOf(file)
    const name = path.join(folder, 'aperture.db')
    for (const part of PARTS) if (existsSync(file + part)) copy(file + part, name + part)
    if (stateOf(file) !== before) {
      const text = `${file} was written to while it was read: the Aperture still runs`
      throw new PinholeError('ERR_STORE_IMPORT', text)
    }
    const database = openCopy(name, file)
    const close = () => {
      database.close()
      discard()
    }
    return { database, open: existsSync(`${file}-wal`), close }
  } catch (reason) {
    discard()
    throw reason instanceof PinholeError ? reason : unreadable(file, reason)
  }
}

/** Sizes and times of the parts: a text that is another one after a write. */
function stateOf(file: string): string {
  const stats = PARTS.map((part) => statSync(file + part, { bigint: true, throwIfNoEntry: false }))
  if (!stats[0]) throw new PinholeError('ERR_STORE_IMPORT', `${file} does not exist`)
  return stats.map((stat) => `${stat?.ino} ${stat?.size} ${stat?.mtimeNs}`).join('\n')
}

function openCopy(name: string, file: string): Database {
  const database = new Sqlite(name, { fileMustExist: true })
  const tables = database
    .prepare<[], string>("select name from sqlite_schema where type = 'table'")
    .pluck()
    .all()
  if (tables.includes('secrets') && tables.includes('schema_migrations')) return database
  database.close()
  throw new PinholeError('ERR_STORE_IMPORT', `${file} is not the database of an Aperture`)
}

function unreadable(file: string, cause: unknown): PinholeError {
  const foreign = sqliteCode(cause) === 'SQLITE_NOTADB'
  const message = cause instanceof Error ? cause.message : String(cause)
  const text = foreign ? `${file} is no SQLite database` : `${file} cannot be read: ${message}`
  return new PinholeError('ERR_STORE_IMPORT', text, { cause })
}
