/**
 * Names of the two boxes of a session (LNC §2). Whoever knows a stream id can read, write and delete
 * its box, so treat them as secrets.
 */
import { utf8, wipe } from '../src/base/bytes.ts'
import type { LncCrypto } from './crypto/crypto.ts'
import { isCanonicalEntropy } from './phrase.ts'

/** Length of a stream id, in bytes. */
export const STREAM_ID_BYTES = 64

/** The two directions of one session. */
export interface StreamIds {
  readonly serverToClient: Uint8Array
  readonly clientToServer: Uint8Array
}

/** Before pairing: both ends know the phrase only. */
export function pairingStreamIds(entropy: Uint8Array, crypto: LncCrypto): StreamIds {
  if (!isCanonicalEntropy(entropy))
    throw new TypeError('stream ids need the entropy of parsePhrase')
  return directions(crypto.sha512(entropy))
}

/** After pairing: each end knows its own private and the other's public static key. */
export function pairedStreamIds(
  localPrivate: Uint8Array,
  remotePublic: Uint8Array,
  crypto: LncCrypto,
): StreamIds {
  const shared = crypto.ecdh(localPrivate, remotePublic)
  const base = crypto.sha512(crypto.hmacSha256(shared, utf8('mailbox')))
  wipe(shared)
  return directions(base)
}

/** LNC §2: the base id leads to the client, the one with its lowest bit flipped to the server. */
function directions(base: Uint8Array): StreamIds {
  const clientToServer = base.slice()
  clientToServer[STREAM_ID_BYTES - 1] = (base[STREAM_ID_BYTES - 1] ?? 0) ^ 1
  return { serverToClient: base, clientToServer }
}
