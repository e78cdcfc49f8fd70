/**
 * Opens what lnc-web's password store keeps in `localStorage` (LNC §14), so that a pairing made in a
 * browser can be carried over. Read only: one round of MD5 is no way to keep a key.
 *
 * Each secret is JSON, then crypto-js's `AES.encrypt(text, password + salt)`: base64 of
 * "Salted__" ‖ 8 bytes of salt ‖ AES-256-CBC with PKCS#7.
 */
import { cbc } from '@noble/ciphers/aes.js'
import { md5 } from '@noble/hashes/legacy.js'

import { concat, equalBytes, fromHex, text, utf8, wipe } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'

/** What a record held. Key bytes are as `connect` takes them. */
export interface LncWebPairing {
  /** Mailbox as host:port. */
  readonly serverHost: string
  /** Local private key, 32 bytes; from the first connection on. */
  readonly localKey?: Uint8Array
  /** The node's public key, 33 bytes; once paired. */
  readonly remoteKey?: Uint8Array
  readonly phrase?: string
}

/** Far above any record, in characters. */
const MAX_RECORD_CHARS = 65536

const MAGIC = utf8('Salted__')
const SALT_BYTES = 8
const AES_KEY_BYTES = 32
const AES_BLOCK_BYTES = 16

/** What the field `cipher` holds, so that a password can be checked. */
const PASSWORD_CHECK = 'Irrelevant data for password verification'

const FIELDS = ['salt', 'cipher', 'serverHost', 'localKey', 'remoteKey', 'pairingPhrase'] as const
type Fields = Partial<Record<(typeof FIELDS)[number], string>>

/**
 * `record` is the text under `lnc-web:<namespace>` (`lnc-web:default` unless the page chose another),
 * `password` what lnc-web was given. Throws `ERR_SESSION_RECORD`.
 */
export function openLncWebRecord(record: string, password: string): LncWebPairing {
  const { salt, cipher, serverHost, localKey, remoteKey, pairingPhrase } = parseFields(record)
  if (!salt || !cipher) throw unusable('holds nothing that is encrypted')
  const open = (field: string): string => decrypt(field, password + salt)
  if (attempt(() => open(cipher)) !== PASSWORD_CHECK) throw unusable('has another password')
  return {
    serverHost: serverHost ?? '',
    ...(localKey ? { localKey: key(open(localKey), 32) } : {}),
    ...(remoteKey ? { remoteKey: key(open(remoteKey), 33) } : {}),
    ...(pairingPhrase ? { phrase: open(pairingPhrase) } : {}),
  }
}

function parseFields(record: string): Fields {
  if (record.length > MAX_RECORD_CHARS) throw unusable('is too long')
  const parsed = attempt((): unknown => JSON.parse(record))
  if (typeof parsed !== 'object' || parsed === null) throw unusable('is not a JSON object')
  const fields: Fields = {}
  for (const [name, value] of Object.entries(parsed)) {
    const field = FIELDS.find((known) => known === name)
    if (field && typeof value === 'string') fields[field] = value
  }
  return fields
}

function key(hex: string, length: number): Uint8Array {
  const bytes = fromHex(hex)
  if (bytes?.length !== length) throw unusable(`holds a key that is not ${length} bytes of hex`)
  return bytes
}

function decrypt(field: string, passphrase: string): string {
  try {
    const sealed = Uint8Array.from(atob(field), (char) => char.charCodeAt(0))
    if (!equalBytes(sealed.subarray(0, MAGIC.length), MAGIC)) throw new TypeError('not crypto-js')
    const body = MAGIC.length + SALT_BYTES
    const derived = evpBytesToKey(utf8(passphrase), sealed.subarray(MAGIC.length, body))
    const [aesKey, iv] = [derived.subarray(0, AES_KEY_BYTES), derived.subarray(AES_KEY_BYTES)]
    const plain = cbc(aesKey, iv).decrypt(sealed.subarray(body))
    wipe(derived)
    const value: unknown = JSON.parse(text(plain))
    wipe(plain)
    if (typeof value === 'string') return value
  } catch {
    // No cause: an error of the JSON parser would quote what was decrypted.
    throw unusable('has a field that does not open')
  }
  throw unusable('has a field that is not text')
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round: AES-256 key, then IV. */
function evpBytesToKey(passphrase: Uint8Array, salt: Uint8Array): Uint8Array {
  let derived = new Uint8Array()
  let last = new Uint8Array()
  while (derived.length < AES_KEY_BYTES + AES_BLOCK_BYTES) {
    last = Uint8Array.from(md5(concat(last, passphrase, salt)))
    derived = Uint8Array.from(concat(derived, last))
  }
  return derived
}

function attempt<Value>(action: () => Value): Value | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

function unusable(what: string): PinholeError {
  return new PinholeError('ERR_SESSION_RECORD', `the lnc-web record ${what}`)
}
