/** Brings over what an Aperture has sold and paired. */
import { existsSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import type { Clock } from '../../base/clock.ts'
import { openDatabase, scratchDatabase } from '../database.ts'
import { storeError } from '../failure.ts'
import { type ApertureRows, readAperture } from './rows.ts'
import { type Copy, takeSnapshot } from './snapshot.ts'

/** What an import brought, or would bring. */
export interface ImportReport {
  readonly secrets: number
  readonly transactions: number
  readonly services: number
  readonly lncSessions: number
  readonly onionKeys: number
  /** Rows that were here already. */
  readonly present: number
  /** Rows that cannot be used, such as a root key of another length. */
  readonly skipped: number
  /** Open sessions of MPP, which stay with Aperture. */
  readonly openMppSessions: number
  /** The Aperture may still run: what it sells from now on is not here. */
  readonly open: boolean
}

/** How to import. */
export interface ImportOptions {
  readonly clock: Clock
  /** Only count. */
  readonly dryRun?: boolean | undefined
  readonly copy?: Copy
}

/**
 * Copies the rows of the Aperture's database `source` into our database `target`, all or none. Rows that are
 * there already stay as they are, so that it can be done again. Throws `ERR_STORE_IMPORT` for a source that
 * cannot be read, `ERR_STORE_OPEN` or `ERR_STORE_SCHEMA` for the target.
 */
export function importAperture(
  source: string,
  target: string,
  { clock, dryRun = false, copy }: ImportOptions,
): ImportReport {
  const snapshot = takeSnapshot(source, copy)
  try {
    const rows = readAperture(snapshot.database, clock.wall())
    const database = dryRun && !existsSync(target) ? scratchDatabase() : openDatabase(target)
    try {
      return { ...store(database, rows, dryRun), open: snapshot.open }
    } catch (reason) {
      throw storeError(target, reason)
    } finally {
      database.close()
    }
  } finally {
    snapshot.close()
  }
}

type Counts = Omit<ImportReport, 'open'>

function store(database: Database, rows: ApertureRows, dryRun: boolean): Counts {
  database.exec('begin immediate')
  try {
    const counts = insertAll(database, rows)
    database.exec(dryRun ? 'rollback' : 'commit')
    return counts
  } catch (reason) {
    if (database.inTransaction) database.exec('rollback')
    throw reason
  }
}

function insertAll(database: Database, rows: ApertureRows): Counts {
  let present = 0
  const insert = <Row extends object>(rows: readonly Row[], text: string): number => {
    const statement = database.prepare<[Row]>(text)
    const added = rows.reduce((sum, row) => sum + statement.run(row).changes, 0)
    present += rows.length - added
    return added
  }
  // Before the transactions: one that is here without its root key was revoked here.
  const secrets = insert(rows.secrets, SECRET)
  return {
    secrets,
    transactions: insert(rows.transactions, TRANSACTION),
    services: insert(rows.services, SERVICE),
    lncSessions: insert(rows.lncSessions, LNC_SESSION),
    onionKeys: insert(rows.onionKeys, ONION_KEY),
    present,
    skipped: rows.skipped,
    openMppSessions: rows.openMppSessions,
  }
}

const SECRET = `
insert into secrets (identifier_hash, root_key, created_ms)
select @identifier_hash, @root_key, @created_ms
where not exists (select 1 from transactions where identifier_hash = @identifier_hash)
on conflict do nothing`

// A second run learns what was paid after the first one.
const TRANSACTION = `
insert into transactions (state, auth_type, token_id, payment_hash, identifier_hash, service, price_msat,
  created_ms, settled_ms, imported)
values (@state, @auth_type, @token_id, @payment_hash, @identifier_hash, @service, @price_msat, @created_ms,
  @settled_ms, 1)
on conflict (payment_hash, auth_type) do update
set state = excluded.state, settled_ms = excluded.settled_ms
where imported = 1 and state = 'pending' and excluded.state = 'settled'
on conflict do nothing`

const SERVICE = `
insert into services (name, address, protocol, host_regexp, path_regexp, price_sat, auth, auth_scheme,
  created_ms, updated_ms)
values (@name, @address, @protocol, @host_regexp, @path_regexp, @price_sat, @auth, @auth_scheme,
  @created_ms, @updated_ms)
on conflict do nothing`

const LNC_SESSION = `
insert into lnc_sessions (id, phrase, local_key, remote_key, mailbox, insecure_tls, created_ms, expires_ms)
values (@id, @phrase, @local_key, @remote_key, @mailbox, @insecure_tls, @created_ms, @expires_ms)
on conflict do nothing`

const ONION_KEY = `
insert into onion_keys (private_key, created_ms) values (@private_key, @created_ms)
on conflict do nothing`
