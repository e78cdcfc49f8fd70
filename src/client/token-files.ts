/** Bought tokens in a folder, each in a file of its own that its owner alone can read. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'
import { type BoughtToken, type BoughtTokens, formatToken, parseToken } from './bought-token.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700
/** Hex digits of the origin's hash that a file name begins with. */
const ORIGIN_DIGITS = 16

/**
 * Keeps tokens in `folder`, which is made when the first one comes. A file for each, so that programs which
 * buy at the same time lose nothing to each other; a save writes a new file, makes sure that it is on the disk
 * and renames it, so that a crash leaves the old or the new one whole. Rejects with `ERR_PAYMENT_STORE`.
 */
export function tokenFiles(folder: string): BoughtTokens {
  return {
    list: (origin) => translated(folder, () => list(folder, origin)),
    put: (token) => translated(folder, () => put(folder, token)),
    remove: (token) => translated(folder, () => rm(fileOf(folder, token), { force: true })),
  }
}

async function list(folder: string, origin: string): Promise<readonly BoughtToken[]> {
  const start = nameOf(origin)
  const names = await readdir(folder).catch(unlessMissing<string[]>([]))
  const wanted = names.filter((name) => name.startsWith(start) && name.endsWith('.json'))
  const read = wanted.map((name) =>
    readFile(path.join(folder, name), 'utf8').catch(unlessMissing<undefined>(undefined)),
  )
  const texts = (await Promise.all(read)).filter((text) => text !== undefined)
  return texts.map(parseToken).filter((token) => token.origin === origin)
}

async function put(folder: string, token: BoughtToken): Promise<void> {
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const file = fileOf(folder, token)
  const next = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    const handle = await open(next, 'wx', OWNER_ONLY_FILE)
    try {
      await handle.writeFile(formatToken(token))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(next, file)
  } catch (reason) {
    await rm(next, { force: true })
    throw reason
  }
  await syncFolder(folder)
}

/** The name is on the disk only once its folder is; systems that cannot do that do without. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

const nameOf = (origin: string): string =>
  createHash('sha256').update(origin).digest('hex').slice(0, ORIGIN_DIGITS)

const fileOf = (folder: string, { origin, paymentHash }: BoughtToken): string =>
  path.join(folder, `${nameOf(origin)}-${toHex(paymentHash)}.json`)

const unlessMissing =
  <T>(instead: T) =>
  (reason: unknown): T => {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return instead
    throw reason
  }

async function translated<T>(folder: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof PinholeError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    const text = `the tokens in ${folder} cannot be kept: ${why}`
    throw new PinholeError('ERR_PAYMENT_STORE', text, { cause })
  }
}
