/** A copy of the database, made while it is used. */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Database } from 'better-sqlite3'
import { storeError } from './failure.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

/** Copies `database` into a new `file`, some pages in each turn of the event loop; its size in bytes. */
export async function backupDatabase(database: Database, file: string): Promise<number> {
  let made = false
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER })
    // SQLite would make it readable for others.
    closeSync(openSync(file, 'wx', OWNER_ONLY_FILE))
    made = true
    await database.backup(file)
    chmodSync(file, OWNER_ONLY_FILE)
    return statSync(file).size
  } catch (reason) {
    if (made) rmSync(file, { force: true })
    throw storeError(file, reason)
  }
}
