/** Whether a base folder is in use by a hub, so that nobody takes the sandbox for it. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import Sqlite from 'better-sqlite3'
import { PinholeError } from '../base/errors.ts'
import { CONFIG_FILE_NAMES } from '../config/load.ts'

/** Throws `ERR_SANDBOX_CONFIG` when `basedir` holds a configuration or a paired node. */
export function checkUnused(basedir: string): void {
  for (const name of CONFIG_FILE_NAMES) {
    const file = path.join(basedir, name)
    if (existsSync(file)) throw inUse(`there is a configuration, ${file}`)
  }
  const database = path.join(basedir, 'pinhole.db')
  if (existsSync(database) && hasNodes(database)) {
    throw inUse(`there are paired nodes in ${database}`)
  }
}

/** A database that cannot be read is somebody's all the same. */
function hasNodes(file: string): boolean {
  let database: Sqlite.Database | undefined
  try {
    database = new Sqlite(file, { readonly: true, fileMustExist: true })
    const tables = database.prepare("select name from sqlite_schema where name = 'nodes'").all()
    return tables.length > 0 && database.prepare('select 1 from nodes limit 1').all().length > 0
  } catch {
    return true
  } finally {
    database?.close()
  }
}

const inUse = (why: string): PinholeError =>
  new PinholeError(
    'ERR_SANDBOX_CONFIG',
    `the sandbox would use nothing of what is set up here: ${why} (--ignore-config starts it all the same)`,
  )
