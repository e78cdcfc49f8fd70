/** Bought tokens in a folder, each in a file of its own that its owner alone can read. */
import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { replaceFile } from '../../mailbox/pairing/durable-file.ts'
import { toHex } from '../base/bytes.ts'
import { asPinholeError, PinholeError } from '../base/errors.ts'
import { checkKinds, TEXT } from '../base/kinds.ts'
import { type BoughtToken, type BoughtTokens, formatToken, parseToken } from './bought-token.ts'

/** Hex digits of the origin's hash that a file name begins with. */
const ORIGIN_DIGITS = 16

/**
 * Keeps tokens in `folder`, which is made when the first one comes. A file for each, so that programs which
 * buy at the same time lose nothing to each other; a save writes a new file, makes sure that it is on the disk
 * and renames it, so that a crash leaves the old or the new one whole. Rejects with `ERR_PAYMENT_STORE`.
 */
export function tokenFiles(folder: string): BoughtTokens {
  checkKinds({ folder }, { folder: TEXT }, ['folder'])
  return {
    list: (origin) => translated(folder, () => list(folder, origin)),
    put: (token) =>
      translated(folder, () => replaceFile(fileOf(folder, token), formatToken(token))),
    remove: (token) => translated(folder, () => rm(fileOf(folder, token), { force: true })),
  }
}

async function list(folder: string, origin: string): Promise<readonly BoughtToken[]> {
  const start = nameOf(origin)
  const names = await readdir(folder).catch(unlessMissing<string[]>([]))
  const wanted = names.filter((name) => name.startsWith(start) && name.endsWith('.json'))
  const tokens = await Promise.all(wanted.map((name) => read(path.join(folder, name))))
  return tokens.filter((token) => token !== undefined).filter((token) => token.origin === origin)
}

async function read(file: string): Promise<BoughtToken | undefined> {
  const json = await readFile(file, 'utf8').catch(unlessMissing<undefined>(undefined))
  if (json === undefined) return undefined
  try {
    return parseToken(json)
  } catch (reason) {
    const { message } = asPinholeError(reason, 'ERR_PAYMENT_STORE')
    throw new PinholeError('ERR_PAYMENT_STORE', `${file}: ${message}`)
  }
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
