/**
 * What follows the tokens of an act (LNC §6.3): nothing but a tag in acts one and three, the node's
 * auth data in act two, laid out by the version byte of that act.
 */
import { PinholeError } from '../../src/base/errors.ts'
import { concat } from '../../src/base/bytes.ts'
import { TAG_BYTES } from '../crypto/crypto.ts'
import type { ActReader } from './act-reader.ts'
import type { Act } from './patterns.ts'
import type { SymmetricState } from './symmetric-state.ts'
import type { Version } from './version.ts'

/** Version 0 has one block: uint16 length, auth data, zeros. */
const BLOCK_BYTES = 500
const BLOCK_LENGTH_BYTES = 2

/** The most auth data that version 0 can carry, in bytes. */
export const MAX_BLOCK_AUTH_DATA_BYTES = BLOCK_BYTES - BLOCK_LENGTH_BYTES

const LENGTH_BYTES = 4
const NOTHING = new Uint8Array()

/** The payload of one's own act. Throws `ERR_NOISE_AUTH_DATA` when version 0 cannot carry it. */
export function sealPayload(
  symmetric: SymmetricState,
  act: Act,
  version: Version,
  authData: Uint8Array,
): Uint8Array {
  if (!act.authData) return symmetric.encryptAndHash(NOTHING)
  if (version === 0) return symmetric.encryptAndHash(block(authData))
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, authData.length)
  return concat(symmetric.encryptAndHash(length), symmetric.encryptAndHash(authData))
}

/**
 * The auth data of the peer's act, empty in acts one and three. Reads the act to its end.
 * Throws `ERR_NOISE_ACT`, `ERR_NOISE_DECRYPT` or `ERR_NOISE_AUTH_DATA`.
 */
export function openPayload(
  symmetric: SymmetricState,
  act: Act,
  version: Version,
  reader: ActReader,
): Uint8Array {
  const open = (length: number): Uint8Array => {
    const payload = symmetric.decryptAndHash(reader.take(length + TAG_BYTES))
    if (!payload) throw reader.unreadable('payload')
    return payload
  }
  if (!act.authData) open(0)
  const authData = !act.authData ? NOTHING : version === 0 ? unblock(open(BLOCK_BYTES)) : long(open)
  reader.end()
  return authData
}

/** Versions 1 and 2: the length on its own, then the auth data. */
function long(open: (length: number) => Uint8Array): Uint8Array {
  const length = open(LENGTH_BYTES)
  return open(new DataView(length.buffer, length.byteOffset).getUint32(0))
}

function block(authData: Uint8Array): Uint8Array {
  if (authData.length > MAX_BLOCK_AUTH_DATA_BYTES) throw tooLong(authData.length)
  const bytes = new Uint8Array(BLOCK_BYTES)
  new DataView(bytes.buffer).setUint16(0, authData.length)
  bytes.set(authData, BLOCK_LENGTH_BYTES)
  return bytes
}

function unblock(bytes: Uint8Array): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0)
  // Deviation from Go, which fills what was cut off with zeros: a macaroon without its end is none.
  if (length > MAX_BLOCK_AUTH_DATA_BYTES) throw tooLong(length)
  return bytes.slice(BLOCK_LENGTH_BYTES, BLOCK_LENGTH_BYTES + length)
}

function tooLong(length: number): PinholeError {
  return new PinholeError(
    'ERR_NOISE_AUTH_DATA',
    `handshake version 0 carries ${MAX_BLOCK_AUTH_DATA_BYTES} bytes of auth data, not ${length}`,
  )
}
