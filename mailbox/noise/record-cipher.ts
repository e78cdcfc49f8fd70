/**
 * One direction of the transport phase (LNC §7), pure: a record is the sealed length of its body and
 * the sealed body, two cipher operations without associated data.
 */
import { wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { TAG_BYTES } from '../crypto/crypto.ts'
import { CipherState } from './cipher-state.ts'

const LENGTH_BYTES = 2

/** Bytes of a record's header on the wire. */
export const HEADER_BYTES = LENGTH_BYTES + TAG_BYTES

/** The most plaintext that a peer may put in one record. */
export const MAX_RECORD_BYTES = 65535

/** The most that we put in one: Go's reader parks what is beyond and mixes it into the next connection. */
export const MAX_SENT_BYTES = 32768

/** Bytes of a record on the wire beyond its plaintext. */
export const RECORD_OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES

/** Cipher operations under one key; LNC §7 counts these, not records. */
const ROTATION_OPERATIONS = 1000

/** Cipher of one direction, which changes its key by itself. */
export class RecordCipher {
  readonly #crypto: LncCrypto
  readonly #cipher: CipherState
  #salt: Uint8Array

  /** Copies `key` and `salt`, the final chaining key. */
  constructor(crypto: LncCrypto, key: Uint8Array, salt: Uint8Array) {
    this.#crypto = crypto
    this.#cipher = new CipherState(crypto, Uint8Array.from(key))
    this.#salt = Uint8Array.from(salt)
  }

  /** Seals `plaintext`, 1 … 65535 bytes, into `into`, which is `RECORD_OVERHEAD_BYTES` longer. */
  sealRecord(plaintext: Uint8Array, into: Uint8Array): void {
    const length = Uint8Array.of(plaintext.length >> 8, plaintext.length & 255)
    this.#cipher.encryptWithAd(undefined, length, into.subarray(0, HEADER_BYTES))
    this.#rotateIfDue()
    this.#cipher.encryptWithAd(undefined, plaintext, into.subarray(HEADER_BYTES))
    this.#rotateIfDue()
  }

  /** Length of the body that follows `header`, tag included; `undefined` when the header's tag is wrong. */
  openHeader(header: Uint8Array): number | undefined {
    const length = this.#open(header)
    return length && (length[0] ?? 0) * 256 + (length[1] ?? 0) + TAG_BYTES
  }

  /** Plaintext of `body`; `undefined` when its tag is wrong. */
  openBody(body: Uint8Array): Uint8Array | undefined {
    return this.#open(body)
  }

  wipe(): void {
    this.#cipher.wipe()
    wipe(this.#salt)
  }

  #open(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher.decryptWithAd(undefined, sealed)
    this.#rotateIfDue()
    return plaintext
  }

  #rotateIfDue(): void {
    if (this.#cipher.n < ROTATION_OPERATIONS) return
    const [salt, k] = this.#crypto.hkdf64(this.#salt, this.#cipher.k)
    wipe(this.#salt)
    this.#salt = salt
    this.#cipher.initializeKey(k)
  }
}
