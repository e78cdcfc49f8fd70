import { utf8, wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { CipherState } from './cipher-state.ts'

/** Noise §5.2 with the differences of LNC §6.1. */
export class SymmetricState {
  h: Uint8Array
  ck: Uint8Array
  readonly cipher: CipherState
  readonly #crypto: LncCrypto

  constructor(crypto: LncCrypto, protocolName: string) {
    this.#crypto = crypto
    this.cipher = new CipherState(crypto)
    // LNC §6.1: the name is always hashed, never padded.
    this.h = crypto.sha256(utf8(protocolName))
    this.ck = this.h.slice()
  }

  mixHash(d: Uint8Array): void {
    this.h = this.#crypto.sha256(this.h, d)
  }

  /** Takes `ikm` over: it is wiped. */
  mixKey(ikm: Uint8Array): void {
    const [ck, k] = this.#crypto.hkdf64(this.ck, ikm)
    wipe(this.ck, ikm)
    this.ck = ck
    this.cipher.initializeKey(k)
  }

  encryptAndHash(p: Uint8Array): Uint8Array {
    const c = this.cipher.encryptWithAd(this.h, p)
    this.mixHash(c)
    return c
  }

  /** The plaintext, or `undefined` when the tag is wrong. */
  decryptAndHash(c: Uint8Array): Uint8Array | undefined {
    const p = this.cipher.decryptWithAd(this.h, c)
    if (p) this.mixHash(c)
    return p
  }

  /** Keys of the two directions: initiator to responder first (LNC §6.6). */
  split(): [Uint8Array, Uint8Array] {
    return this.#crypto.hkdf64(this.ck, new Uint8Array())
  }

  wipe(): void {
    wipe(this.ck)
    this.cipher.wipe()
  }
}
