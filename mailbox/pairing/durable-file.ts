/** Files for secrets that are on the disk, whole and readable by their owner alone, before they are relied on. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

/**
 * Puts `content` into `file`, over what was there: a crash leaves the old or the new, whole.
 * Makes the folder when it is missing.
 */
export function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  return writeBeside(file, content, rename)
}

/** As `replaceFile`, but never over another: rejects with `EEXIST` when `file` is there already. */
export function createFile(file: string, content: string | Uint8Array): Promise<void> {
  return writeBeside(file, content, link)
}

async function writeBeside(
  file: string,
  content: string | Uint8Array,
  place: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const folder = path.dirname(file)
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const next = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    await writeDurably(next, content)
    await place(next, file)
  } finally {
    await rm(next, { force: true })
  }
  await syncFolder(folder)
}

async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
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
