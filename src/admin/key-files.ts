/** The two files of the admin macaroon: as Aperture makes them, so that a pair of Aperture's goes on working. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { signMacaroon } from '../../proxy/l402/macaroon.ts'
import { PinholeError } from '../base/errors.ts'
import { ADMIN_IDENTIFIER } from './bake.ts'

/** Aperture's. */
export const ADMIN_LOCATION = 'aperture'
const ROOT_KEY_BYTES = 32
const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

/** Where the root key lies of the macaroon at `macaroonPath`. */
export const rootKeyPath = (macaroonPath: string): string =>
  `${macaroonPath.replace(/\.macaroon$/, '')}.rootkey`

/**
 * Reads the root key, or makes it; makes the macaroon where there is none. An existing macaroon is left alone.
 * @throws ERR_ADMIN_KEY for a root key that is not 32 bytes, or a folder that cannot be written
 */
export function openAdminKey(macaroonPath: string): Uint8Array {
  const file = rootKeyPath(macaroonPath)
  try {
    mkdirSync(path.dirname(macaroonPath), { recursive: true, mode: OWNER_ONLY_FOLDER })
    if (!existsSync(file)) writeNew(file, randomBytes(ROOT_KEY_BYTES))
    const rootKey = Uint8Array.from(readFileSync(file))
    if (rootKey.length !== ROOT_KEY_BYTES) {
      const text = `${file} has ${rootKey.length} bytes, not the ${ROOT_KEY_BYTES} of a root key`
      throw new PinholeError('ERR_ADMIN_KEY', text)
    }
    if (!existsSync(macaroonPath)) writeNew(macaroonPath, bakeAdminMacaroon(rootKey, []))
    return rootKey
  } catch (cause) {
    if (cause instanceof PinholeError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_ADMIN_KEY', `the admin macaroon: ${reason}`, { cause })
  }
}

/** An admin macaroon in binary, with caveats such as `scope = read`. */
export const bakeAdminMacaroon = (rootKey: Uint8Array, caveats: readonly string[]): Uint8Array =>
  signMacaroon(rootKey, ADMIN_IDENTIFIER, caveats, ADMIN_LOCATION)

const writeNew = (file: string, bytes: Uint8Array): void =>
  writeFileSync(file, bytes, { mode: OWNER_ONLY_FILE, flag: 'wx' })
