import { wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { KEY_BYTES } from '../crypto/crypto.ts'

/**
 * Noise §5.1. Unlike there, the cipher is live from the start: the first key is 32 zero bytes and is
 * used (LNC §6.1).
 */
export class CipherState {
  k: Uint8Array
  n = 0
  readonly #crypto: LncCrypto

  /** Takes `k` over: it is wiped with the cipher. */
  constructor(crypto: LncCrypto, k: Uint8Array = new Uint8Array(KEY_BYTES)) {
    this.#crypto = crypto
    this.k = k
  }

  /** InitializeKey: from now on `k`, from counter 0. */
  initializeKey(k: Uint8Array): void {
    wipe(this.k)
    this.k = k
    this.n = 0
  }

  /** Ciphertext and tag, written to `into` when given. */
  encryptWithAd(ad: Uint8Array | undefined, p: Uint8Array, into?: Uint8Array): Uint8Array {
    return this.#crypto.seal(this.k, this.n++, ad, p, into)
  }

  /** The plaintext, or `undefined` when the tag is wrong; the counter stands still then. */
  decryptWithAd(ad: Uint8Array | undefined, c: Uint8Array): Uint8Array | undefined {
    const p = this.#crypto.open(this.k, this.n, ad, c)
    if (p) this.n++
    return p
  }

  wipe(): void {
    wipe(this.k)
  }
}
