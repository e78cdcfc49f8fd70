/** Makes tokens, and narrower ones from them. */
import { PinholeError } from '../../src/base/errors.ts'
import { SERVICES, formatCaveat, type Caveat } from './caveat.ts'
import { MAX_CAVEATS, MAX_MACAROON_BYTES } from './fields.ts'
import { encodeIdentifier, type Identifier } from './identifier.ts'
import { extendMacaroon, readMacaroon, signMacaroon } from './macaroon.ts'

/** Bytes of a root key. */
export const ROOT_KEY_BYTES = 32

/** What a token is made from. */
export interface MintOptions extends Identifier {
  /** 32 random bytes, secret, another for each token. */
  readonly rootKey: Uint8Array
  readonly caveats: readonly Caveat[]
}

/** A token that was made. */
export interface MintedToken {
  /** libmacaroons' binary version 2. */
  readonly macaroon: Uint8Array
  /** 66 bytes; its SHA-256 is what the root key is kept under. */
  readonly identifier: Uint8Array
}

/**
 * A macaroon that opens what its caveats name to whoever has the preimage of `paymentHash`. Throws a
 * `TypeError` when a key, hash or id has not 32 bytes, no caveat names `services` (whoever holds the token
 * could name any), a condition holds a `=`, or the whole would be more than is read back.
 */
export function mint({ rootKey, paymentHash, tokenId, caveats }: MintOptions): MintedToken {
  if (rootKey.length !== ROOT_KEY_BYTES) {
    throw new TypeError(`a root key has ${ROOT_KEY_BYTES} bytes`)
  }
  if (!caveats.some(({ condition }) => condition === SERVICES)) {
    throw new TypeError(`a token has a caveat "${SERVICES}"`)
  }
  const identifier = encodeIdentifier({ paymentHash, tokenId })
  const macaroon = signMacaroon(rootKey, identifier, caveats.map(formatCaveat))
  if (!readMacaroon(macaroon)) throw new TypeError(`the caveats are ${beyondLimits}`)
  return { macaroon, identifier }
}

/**
 * `macaroon` with `caveats` added, in version 2: it opens no more than before, and needs no key. Throws
 * `ERR_L402_MACAROON` when it cannot be read or the result would be more than is read back, and a
 * `TypeError` when a condition holds a `=`.
 */
export function attenuate(macaroon: Uint8Array, caveats: readonly Caveat[]): Uint8Array {
  const read = readMacaroon(macaroon)
  if (!read) throw new PinholeError('ERR_L402_MACAROON', 'This is no macaroon')
  if (read.version === 1 && read.thirdParty) {
    throw new PinholeError(
      'ERR_L402_MACAROON',
      'A macaroon of version 1 with a third-party caveat takes no more caveats',
    )
  }
  const extended = extendMacaroon(read, caveats.map(formatCaveat))
  if (!readMacaroon(extended)) {
    throw new PinholeError(
      'ERR_L402_MACAROON',
      `With these caveats the macaroon is ${beyondLimits}`,
    )
  }
  return extended
}

const beyondLimits = `more than ${MAX_CAVEATS} caveats or ${MAX_MACAROON_BYTES} bytes`
