/** Services and nodes of a database that is only looked at: a hub may be using it, or none may have opened it for long. */
import { existsSync } from 'node:fs'
import Sqlite, { type Database } from 'better-sqlite3'
import { tablesOf } from './aperture/beside.ts'
import { storeError } from './failure.ts'
import { type ImportedService, importedServices } from './imported.ts'
import { APPLICATION_ID } from './migrations.ts'
import { type NodeRow, storedNodes } from './node-rows.ts'
import { keptRows, type ServiceRow } from './service-rows.ts'

/** What a database has of services. */
export interface KeptServices {
  readonly rows: readonly ServiceRow[]
  readonly imported: readonly ImportedService[]
}

/** Those in `file`; `undefined` where there is none or it is not ours. @throws ERR_STORE_OPEN */
export function keptServices(file: string): KeptServices | undefined {
  return look(file, (database, tables) => ({
    rows: tables.includes('service_entries') ? keptRows(database) : [],
    imported: tables.includes('services') ? importedServices(database) : [],
  }))
}

/** The paired nodes in `file`, none where there is no such file or it is not ours. @throws ERR_STORE_OPEN */
export function keptNodes(file: string): readonly NodeRow[] {
  const found = look(file, (database, tables) => {
    return tables.includes('nodes') ? storedNodes(database) : []
  })
  return found ?? []
}

function look<T>(
  file: string,
  read: (database: Database, tables: readonly string[]) => T,
): T | undefined {
  if (!existsSync(file)) return undefined
  let database: Database | undefined
  try {
    // As `readsAsAperture` does, and for its reason.
    database = new Sqlite(file, { readonly: existsSync(`${file}-wal`), fileMustExist: true })
    database.pragma('query_only = ON')
    if (Number(database.pragma('application_id', { simple: true })) !== APPLICATION_ID) {
      return undefined
    }
    return read(database, tablesOf(database))
  } catch (reason) {
    throw storeError(file, reason)
  } finally {
    database?.close()
  }
}
