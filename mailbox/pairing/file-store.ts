/** A pairing in a file of its own, readable by its owner alone (Node). */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'

import { formatPairing, parsePairing, type PairingStore } from './pairing.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

/**
 * Keeps a pairing in `file`. Each save writes a new file, makes sure that it is on the disk and renames it
 * over the old one, so that a crash leaves one of the two.
 */
export function fileStore(file: string): PairingStore {
  return {
    load: async () => {
      const json = await readIfThere(file)
      return json === undefined ? undefined : parsePairing(json)
    },
    save: async (pairing) => {
      const folder = path.dirname(file)
      await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
      const next = `${file}.${randomBytes(6).toString('hex')}.new`
      try {
        await writeDurably(next, formatPairing(pairing))
        await rename(next, file)
      } catch (reason) {
        await rm(next, { force: true })
        throw reason
      }
      await syncFolder(folder)
    },
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
}

async function writeDurably(file: string, content: string): Promise<void> {
  const handle = await open(file, 'wx', OWNER_ONLY_FILE)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The name is on the disk only once its folder is; systems that cannot do that do without. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
