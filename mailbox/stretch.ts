import type { LncCrypto, ScryptCost } from './crypto/crypto.ts'
import { isCanonicalEntropy } from './phrase.ts'

/** LNC §1. Takes 64 MiB and a fifth of a second in Node, some seconds in a browser. */
const COST: ScryptCost = { N: 65536, r: 8, p: 1 }

/**
 * The 32 bytes that mask the first handshake (LNC §1): scrypt over the canonical entropy, which is
 * password and salt at once. Do this before dialling, since the peer waits 5 s for act one.
 */
export function stretch(entropy: Uint8Array, crypto: LncCrypto): Promise<Uint8Array> {
  if (!isCanonicalEntropy(entropy)) throw new TypeError('stretch takes the entropy of parsePhrase')
  return crypto.scrypt(entropy, entropy, COST)
}
