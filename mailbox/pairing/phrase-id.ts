/** Tells pairings apart after their phrase is gone. */
import { toHex, wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { parsePhrase } from '../phrase.ts'
import { pairingStreamIds } from '../stream-id.ts'

const ID_BYTES = 16

/**
 * 32 hex characters that name `phrase`: a hash of its stream id, from which neither leads back.
 *
 * @throws PinholeError ERR_PHRASE_WORD_COUNT, ERR_PHRASE_UNKNOWN_WORD
 */
export function phraseId(phrase: string, crypto: LncCrypto): string {
  const entropy = parsePhrase(phrase)
  const id = crypto.sha256(pairingStreamIds(entropy, crypto).serverToClient)
  wipe(entropy)
  return toHex(id.subarray(0, ID_BYTES))
}
