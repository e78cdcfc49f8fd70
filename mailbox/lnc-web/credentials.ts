/** What class `LNC` keeps of a pairing, under lnc-web's names. */
import { fromHex, toHex } from '../../src/base/bytes.ts'
import type { Pairing, PairingStore } from '../pairing/pairing.ts'

/**
 * lnc-web's interface of a credential store. Fields are empty strings while unknown; a store of one's own
 * may keep them wherever it likes, when they are set.
 */
export interface CredentialStore {
  /** Protects what is kept, where the store keeps anything. */
  password?: string
  /** The mailbox relay as host:port. */
  serverHost: string
  pairingPhrase: string
  /** Own private key, 64 hex characters. */
  localKey: string
  /** The node's public key, 66 hex characters. */
  remoteKey: string
  /** Whether a node was paired with, or a phrase is there to do so. */
  readonly isPaired: boolean
  /** Forgets everything; with `memoryOnly` what is kept elsewhere stays. */
  clear(memoryOnly?: boolean): void
}

/** Credentials that are gone with the process. What is secret of them is in no JSON and no `console.log`. */
export class MemoryCredentials implements CredentialStore {
  serverHost = ''
  remoteKey = ''
  #password = ''
  #localKey = ''
  #pairingPhrase = ''

  get password(): string {
    return this.#password
  }

  set password(password: string) {
    this.#password = password
  }

  get localKey(): string {
    return this.#localKey
  }

  set localKey(key: string) {
    this.#localKey = key
  }

  get pairingPhrase(): string {
    return this.#pairingPhrase
  }

  /** Another phrase means another node: the keys go. */
  set pairingPhrase(phrase: string) {
    if (phrase !== '' && phrase !== this.#pairingPhrase && this.#pairingPhrase !== '') {
      this.localKey = ''
      this.remoteKey = ''
    }
    this.#pairingPhrase = phrase
  }

  get isPaired(): boolean {
    return this.remoteKey !== '' || this.#pairingPhrase !== ''
  }

  clear(memoryOnly = false): void {
    this.#pairingPhrase = ''
    this.localKey = ''
    this.remoteKey = ''
    if (!memoryOnly) this.serverHost = ''
  }
}

/** `credentials` as the store that `connect` reads and writes. */
export function pairingStoreOf(credentials: CredentialStore): PairingStore {
  return {
    load: () => Promise.resolve(pairingOf(credentials)),
    save: ({ localKey, remoteKey }) => {
      credentials.localKey = toHex(localKey)
      if (remoteKey) credentials.remoteKey = toHex(remoteKey)
      return Promise.resolve()
    },
  }
}

/** The pairing that `credentials` hold once they have a key of their own. */
function pairingOf({ serverHost, localKey, remoteKey, pairingPhrase }: CredentialStore) {
  const own = fromHex(localKey)
  if (!own || own.length === 0) return undefined
  const pairing: Pairing = {
    mailbox: serverHost,
    localKey: own,
    ...(remoteKey === '' ? {} : { remoteKey: fromHex(remoteKey) }),
    ...(pairingPhrase === '' ? {} : { phrase: pairingPhrase }),
  }
  return pairing
}
