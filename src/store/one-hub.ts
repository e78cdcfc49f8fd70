/**
 * One hub for one database. A hub knows in memory which invoices it has given out, so that two of them would sell the
 * same ones. Commands that look at the database or change a row beside a running hub do not ask for this.
 */
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { holdProcess } from '../../mailbox/hold-process.ts'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { sqliteCode, storeError } from './failure.ts'

const OWNER_ONLY_FILE = 0o600
/** A hub that ends keeps its database while it drains; the default of `draintimeout` and some more. */
export const PREDECESSOR_MS = 15_000
const RETRY_MS = 100

/** The right to be the hub of a database. */
export interface Hold {
  /** Lets the next hub in. */
  release(): void
}

/**
 * Takes the database `file` for this hub, as soon as one that is ending lets go of it. The system drops the lock with
 * the process, however that ends. Throws `ERR_STORE_IN_USE` after `PREDECESSOR_MS`, and `ERR_STORE_OPEN`.
 */
export async function holdDatabase(
  file: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Hold> {
  const until = clock.now() + PREDECESSOR_MS
  let told = false
  for (;;) {
    const hold = tryHold(file)
    if (hold) return hold
    if (clock.now() >= until) throw inUse(file)
    if (!told) log.warn({ database: file }, 'another hub uses the database, waiting for its end')
    told = true
    await pause(clock)
  }
}

/** A file beside the database, whichever name leads there, that nothing is ever written to. */
function tryHold(file: string): Hold | undefined {
  const lock = `${existsSync(file) ? realpathSync(file) : file}.lock`
  let database: Sqlite.Database | undefined
  try {
    // Closing one that exists would drop the lock that another hub of this process has.
    if (!existsSync(lock)) closeSync(openSync(lock, 'a', OWNER_ONLY_FILE))
    database = new Sqlite(lock, { timeout: 0 })
    // Else a journal lies beside it.
    database.pragma('journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
    const held = database
    return { release: () => held.close() }
  } catch (reason) {
    database?.close()
    if (sqliteCode(reason).startsWith('SQLITE_BUSY')) return undefined
    throw storeError(lock, reason)
  }
}

/** The clock keeps no process alive, and while a hub waits nothing else does. */
async function pause(clock: Clock): Promise<void> {
  const letGo = holdProcess()
  await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve))
  letGo()
}

const inUse = (file: string) =>
  new PinholeError('ERR_STORE_IN_USE', `another hub is running with the database ${file}`)
