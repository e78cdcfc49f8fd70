/** Room for what is kept. */
import { accessSync, constants, existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import path from 'node:path'
import { type Check, fine, type Verdict, warning, wrong } from './check.ts'

const MIB = 1_048_576
/** The database would soon be full. */
const TOO_LITTLE_BYTES = 64 * MIB
const LITTLE_BYTES = 512 * MIB

/** How much room a folder has, in bytes. */
export type FreeOf = (folder: string) => Promise<number>

const freeOf: FreeOf = async (folder) => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** The check, by what the system says of a folder. */
export const diskCheckBy = (free: FreeOf): Check => ({
  name: 'disk',
  limitMs: 2_000,
  run: ({ config }) => {
    const folders = [config.basedir, path.dirname(config.sqlite.databasefilename)]
    return Promise.all([...new Set(folders)].map((folder) => look(folder, free)))
  },
})

/** The check. */
export const diskCheck: Check = diskCheckBy(freeOf)

async function look(folder: string, free: FreeOf): Promise<Verdict> {
  if (!existsSync(folder)) return fine(`${folder} is made at the start`)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    return wrong(`${folder} cannot be written`, 'Give it to the user that the hub runs as (chown).')
  }
  const bytes = await free(folder)
  const text = `${folder} has ${Math.floor(bytes / MIB)} MiB left`
  const advice = 'Make room, or move it to another disk (basedir, sqlite.databasefilename).'
  if (bytes < TOO_LITTLE_BYTES) return wrong(text, advice)
  return bytes < LITTLE_BYTES ? warning(text, advice) : fine(text)
}
