/** Which of the two doors of a session an attempt knocks at (LNC §3). */
import type { LncCrypto } from '../crypto/crypto.ts'
import type { Pairing } from '../pairing/pairing.ts'
import { parsePhrase } from '../phrase.ts'
import { pairedStreamIds, pairingStreamIds, type StreamIds } from '../stream-id.ts'

/** The door: the phrase's ids with pattern XX, or the keys' ids with KK. */
export type Target =
  | { readonly door: 'phrase'; readonly ids: StreamIds; readonly entropy: Uint8Array }
  | { readonly door: 'keys'; readonly ids: StreamIds; readonly remoteKey: Uint8Array }

/**
 * The doors of a pairing, the likelier first. Both while a connection by keys has not yet worked: a first
 * pairing may have ended before the node kept our key, and then it answers to the phrase still.
 */
export function targets(pairing: Pairing, crypto: LncCrypto): readonly Target[] {
  const { localKey, remoteKey, phrase } = pairing
  const found: Target[] = []
  if (remoteKey) {
    const ids = pairedStreamIds(localKey, remoteKey, crypto)
    found.push({ door: 'keys', ids, remoteKey })
  }
  if (phrase !== undefined) {
    const entropy = parsePhrase(phrase)
    found.push({ door: 'phrase', ids: pairingStreamIds(entropy, crypto), entropy })
  }
  return found
}
