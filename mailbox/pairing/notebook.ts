/**
 * What one end knows of its pairing, and when it is put into the store (LNC §3). The local key: before the
 * first connection. The peer's: at the client before act three leaves, at the node when it has been read.
 * The phrase: at the client until keys alone have worked, at the node until its boxes are deleted. So
 * whenever either end stops, one door stays open to both.
 */
import { fromHex, toHex } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { asPinholeError, PinholeError } from '../../src/base/errors.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { formatPhrase, parsePhrase } from '../phrase.ts'
import { memoryStore, type Pairing, type PairingStore } from './pairing.ts'
import { phraseId } from './phrase-id.ts'

/** Keys of an earlier pairing, as bytes or hex: 32 bytes private, 33 bytes compressed public. */
export interface PairingKeys {
  readonly localKey: Uint8Array | string
  readonly remoteKey: Uint8Array | string
}

/** What a caller brings. */
export interface NotebookOptions {
  readonly mailbox?: string | undefined
  readonly phrase?: string | undefined
  readonly keys?: PairingKeys | undefined
  readonly store?: PairingStore | undefined
  /** Makes a phrase when none is given or stored: the node's end. */
  readonly newPhrase?: (() => string) | undefined
  readonly crypto: LncCrypto
  readonly clock: Clock
}

/** The pairing of one session and its store. */
export class Notebook {
  #pairing: Pairing
  readonly #store: PairingStore
  readonly #clock: Clock

  private constructor(pairing: Pairing, store: PairingStore, clock: Clock) {
    this.#pairing = pairing
    this.#store = store
    this.#clock = clock
  }

  /**
   * Finds or begins the pairing that `options` mean, and stores it.
   *
   * @throws ERR_PHRASE_*, ERR_SESSION_KEYS, ERR_SESSION_STORE; TypeError when nothing says whom to reach
   */
  static async open(options: NotebookOptions): Promise<Notebook> {
    const { store = memoryStore(), clock } = options
    if (typeof store.load !== 'function' || typeof store.save !== 'function') {
      throw new TypeError('a store has the methods load and save, as fileStore(file) has')
    }
    const given = givenPairing(options)
    const stored = await fromStore(() => store.load())
    const pairing = chosen(given, stored, options)
    const notebook = new Notebook(pairing, store, clock)
    if (pairing !== stored) await notebook.#save(pairing)
    return notebook
  }

  get pairing(): Pairing {
    return this.#pairing
  }

  /** Keeps the node's key. @throws ERR_SESSION_STORE */
  async keepRemoteKey(remoteKey: Uint8Array): Promise<void> {
    const known = this.#pairing.remoteKey
    if (known && toHex(known) === toHex(remoteKey)) return
    await this.#save({ ...this.#pairing, remoteKey })
  }

  /** Keeps when the macaroon ends, in milliseconds since 1970. @throws ERR_SESSION_STORE */
  async keepExpiry(expiresAtMs: number | undefined): Promise<void> {
    if (expiresAtMs !== this.#pairing.expiresAtMs)
      await this.#save({ ...this.#pairing, expiresAtMs })
  }

  /** Lets go of the phrase, which leads nowhere any more. @throws ERR_SESSION_STORE */
  async forgetPhrase(): Promise<void> {
    if (this.#pairing.phrase !== undefined)
      await this.#save({ ...this.#pairing, phrase: undefined })
  }

  /** How this end stands with its peer. */
  standing(): { readonly paired: boolean; readonly expired: boolean } {
    const { remoteKey, expiresAtMs = Infinity } = this.#pairing
    return { paired: remoteKey !== undefined, expired: expiresAtMs <= this.#clock.wall() }
  }

  async #save(pairing: Pairing): Promise<void> {
    await fromStore(() => this.#store.save(pairing))
    this.#pairing = pairing
  }
}

type Given =
  | { readonly with: 'phrase'; readonly phrase: string; readonly id: string }
  | { readonly with: 'keys'; readonly localKey: Uint8Array; readonly remoteKey: Uint8Array }
  | undefined

function givenPairing({ phrase, keys, crypto }: NotebookOptions): Given {
  if (phrase !== undefined && keys) throw new TypeError('give either a phrase or keys')
  if (phrase !== undefined) return givenPhrase(phrase, crypto)
  if (!keys) return undefined
  const localKey = bytesOf(keys.localKey)
  const remoteKey = bytesOf(keys.remoteKey)
  if (localKey && remoteKey && crypto.isPrivateKey(localKey) && crypto.isPublicKey(remoteKey)) {
    return { with: 'keys', localKey, remoteKey }
  }
  throw new PinholeError('ERR_SESSION_KEYS', 'these are no keys of a pairing')
}

function givenPhrase(phrase: string, crypto: LncCrypto): Extract<Given, { with: 'phrase' }> {
  // Stored as the words that it means, however it was typed.
  return {
    with: 'phrase',
    phrase: formatPhrase(parsePhrase(phrase)),
    id: phraseId(phrase, crypto),
  }
}

function chosen(given: Given, stored: Pairing | undefined, options: NotebookOptions): Pairing {
  const mailbox = options.mailbox ?? stored?.mailbox
  if (typeof mailbox !== 'string') throw new TypeError('give the address of the mailbox')
  const wanted = given ?? (stored ? undefined : newlyMade(options))
  if (!wanted) {
    if (!stored) throw new TypeError('give a phrase, keys, or a store that holds a pairing')
    return stored.mailbox === mailbox ? stored : { ...stored, mailbox }
  }
  if (wanted.with === 'keys') {
    return { mailbox, localKey: wanted.localKey, remoteKey: wanted.remoteKey }
  }
  // The same phrase again goes on with its pairing, however far that got.
  if (stored?.phraseId === wanted.id) return { ...stored, mailbox }
  const localKey = options.crypto.generatePrivateKey()
  return { mailbox, localKey, phraseId: wanted.id, phrase: wanted.phrase }
}

function newlyMade({ newPhrase, crypto }: NotebookOptions): Given {
  return newPhrase && givenPhrase(newPhrase(), crypto)
}

/** A copy of its own: `slice` of a `Buffer` would share the caller's memory. */
function bytesOf(key: Uint8Array | string): Uint8Array | undefined {
  if (typeof key === 'string') return fromHex(key)
  return key instanceof Uint8Array ? Uint8Array.from(key) : undefined
}

async function fromStore<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (reason) {
    throw asPinholeError(reason, 'ERR_SESSION_STORE')
  }
}
