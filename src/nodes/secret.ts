/**
 * What the keys of paired nodes are encrypted with at rest. A record is
 *
 *     1           | nonce 12 | AES-256-GCM of the content | tag 16      by the key file
 *     2 | salt 16 | nonce 12 | AES-256-GCM of the content | tag 16      by scrypt of PINHOLE_SECRET
 *
 * with what comes before the nonce and the node's name as associated data, so that a record opens under
 * its own name only. A record says itself which of the two opens it: setting PINHOLE_SECRET later is no
 * break, from then on it seals what is saved.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { concat, toHex, utf8, wipe } from '../base/bytes.ts'
import { isPinholeError, PinholeError } from '../base/errors.ts'
import { createFile } from '../../mailbox/pairing/durable-file.ts'

/** Seals contents for the node of a name, and opens them. */
export interface NodeSecret {
  /**
   * @throws ERR_NODE_SECRET when the key file can be neither read nor made, or is not the one that stored records are
   * under: no key takes the place of another that may come back
   */
  seal(name: string, content: Uint8Array): Promise<Uint8Array>
  /** @throws ERR_NODE_SECRET naming the node */
  open(name: string, sealed: Uint8Array): Promise<Uint8Array>
}

/** Where the secret comes from. */
export interface SecretSource {
  /** Folder of the key file. */
  readonly basedir: string
  /** The value of PINHOLE_SECRET; none when empty. */
  readonly passphrase?: string | undefined
  /** What is stored already. */
  readonly stored?: (() => readonly SealedRecord[]) | undefined
}

/** A record and whose it is. */
export interface SealedRecord {
  readonly name: string
  readonly sealed: Uint8Array
}

const KEY_FILE = 'node.key'
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const AUTHENTICATED = { authTagLength: TAG_BYTES }

const BY_FILE = 1
const BY_PASSPHRASE = 2

/** 130 ms and 64 MiB, off the event loop, once in a process: whoever has the database has to guess. */
const SCRYPT = { N: 65_536, r: 8, p: 1, maxmem: 96 * 1024 * 1024 }

/** The secret of `source`; nothing is read or made before it is needed. */
export function nodeSecret(source: SecretSource): NodeSecret {
  return new StoredSecret(source)
}

interface Key {
  /** What stands before the nonce. */
  readonly head: Uint8Array
  readonly key: Uint8Array
}

class StoredSecret implements NodeSecret {
  readonly #file: string
  readonly #passphrase: string | undefined
  readonly #stored: () => readonly SealedRecord[]
  readonly #derived = new Map<string, Promise<Key>>()

  constructor({ basedir, passphrase, stored = () => [] }: SecretSource) {
    this.#file = path.join(basedir, KEY_FILE)
    this.#passphrase = passphrase === '' ? undefined : passphrase
    this.#stored = stored
  }

  async seal(name: string, content: Uint8Array): Promise<Uint8Array> {
    const { head, key } = await this.#sealingKey()
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, key, nonce, AUTHENTICATED)
    cipher.setAAD(concat(head, utf8(name)))
    return concat(head, nonce, cipher.update(content), cipher.final(), cipher.getAuthTag())
  }

  async open(name: string, sealed: Uint8Array): Promise<Uint8Array> {
    const key = await this.#openingKey(name, sealed)
    try {
      return decrypt(key, { name, sealed })
    } catch (cause) {
      if (isPinholeError(cause)) throw cause
      const by = sealed[0] === BY_FILE ? this.#file : 'this PINHOLE_SECRET'
      throw refused(name, `${by} does not open them`, cause)
    }
  }

  async #sealingKey(): Promise<Key> {
    if (this.#passphrase === undefined) return this.#fileKey()
    // One salt for all that this process seals: each has its own nonce, and scrypt is run once.
    const [salt] = this.#derived.keys()
    return this.#derive(salt === undefined ? randomBytes(SALT_BYTES) : Buffer.from(salt, 'hex'))
  }

  /** The key of the file, made when it is the first. */
  async #fileKey(): Promise<Key> {
    const under = this.#stored().filter(({ sealed }) => sealed[0] === BY_FILE)
    const names = under.map(({ name }) => name).join(', ')
    const key = await this.#readFile()
    if (!key && under.length === 0) return this.#makeFile()
    if (!key) {
      throw unusable(this.#file, `it is not there, and the keys of ${names} are stored with it`)
    }
    if (under.length === 0 || under.some((record) => opens(key, record))) return key
    throw unusable(this.#file, `it is not the one that the keys of ${names} are stored with`)
  }

  async #openingKey(name: string, sealed: Uint8Array): Promise<Key> {
    switch (sealed[0]) {
      case BY_FILE: {
        const key = await this.#readFile()
        if (!key) throw refused(name, `they were stored with ${this.#file}, which is not there`)
        return key
      }
      case BY_PASSPHRASE: {
        if (sealed.length < 1 + SALT_BYTES) throw damaged(name)
        if (this.#passphrase === undefined) {
          throw refused(name, 'they were stored with a PINHOLE_SECRET, which is not set')
        }
        return this.#derive(sealed.subarray(1, 1 + SALT_BYTES))
      }
      default:
        throw damaged(name)
    }
  }

  #derive(salt: Uint8Array): Promise<Key> {
    const id = toHex(salt)
    const known = this.#derived.get(id)
    if (known) return known
    const head = concat(Uint8Array.of(BY_PASSPHRASE), salt)
    const derived = scryptKey(this.#passphrase ?? '', salt).then((key) => ({ head, key }))
    this.#derived.set(id, derived)
    return forgetFailure(derived, () => this.#derived.delete(id))
  }

  async #readFile(): Promise<Key | undefined> {
    const key = await readFile(this.#file).catch((cause: unknown) => {
      if (isCode(cause, 'ENOENT')) return undefined
      throw unusable(this.#file, messageOf(cause), cause)
    })
    if (!key) return undefined
    if (key.length !== KEY_BYTES) throw unusable(this.#file, `it is not ${KEY_BYTES} bytes long`)
    return { head: Uint8Array.of(BY_FILE), key }
  }

  /** Another process may make it at the same time; the first one's counts. */
  async #makeFile(): Promise<Key> {
    await createFile(this.#file, randomBytes(KEY_BYTES)).catch((cause: unknown) => {
      if (!isCode(cause, 'EEXIST')) throw unusable(this.#file, messageOf(cause), cause)
    })
    const key = await this.#readFile()
    if (!key) throw unusable(this.#file, 'it has just been removed')
    return key
  }
}

function decrypt({ head, key }: Key, { name, sealed }: SealedRecord): Uint8Array {
  const body = sealed.subarray(head.length)
  if (body.length < NONCE_BYTES + TAG_BYTES) throw damaged(name)
  const end = body.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, body.subarray(0, NONCE_BYTES), AUTHENTICATED)
  decipher.setAAD(concat(head, utf8(name)))
  decipher.setAuthTag(body.subarray(end))
  return concat(decipher.update(body.subarray(NONCE_BYTES, end)), decipher.final())
}

function opens(key: Key, record: SealedRecord): boolean {
  try {
    wipe(decrypt(key, record))
    return true
  } catch {
    return false
  }
}

function scryptKey(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, SCRYPT, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

async function forgetFailure<T>(promise: Promise<T>, forget: () => unknown): Promise<T> {
  try {
    return await promise
  } catch (reason) {
    forget()
    throw reason
  }
}

const isCode = (reason: unknown, code: string): boolean =>
  reason instanceof Error && 'code' in reason && reason.code === code

const messageOf = (reason: unknown) => (reason instanceof Error ? reason.message : String(reason))

const refused = (name: string, why: string, cause?: unknown) =>
  new PinholeError('ERR_NODE_SECRET', `the keys of node ${name} stay closed: ${why}`, { cause })

const damaged = (name: string) => refused(name, 'the stored record is damaged')

const unusable = (file: string, why: string, cause?: unknown) =>
  new PinholeError('ERR_NODE_SECRET', `the key file ${file} cannot be used: ${why}`, { cause })
