/**
 * Macaroons as bytes: read, sign, add to, check the signature. Here alone npm's `macaroon` is called; it
 * derives the key (HMAC-SHA-256 of the root key under "macaroons-key-generator") and makes the chain of
 * HMACs as gopkg.in/macaroon.v2 does, and compares signatures without an early exit.
 */
import library from 'macaroon'
import { concat } from '../../src/base/bytes.ts'
import { toBase64 } from './base64.ts'
import { MAX_MACAROON_BYTES, type MacaroonFields } from './fields.ts'
import { readV1 } from './macaroon-v1.ts'
import {
  SIGNATURE_V2_BYTES,
  V2_MARK,
  caveatV2,
  headerV2,
  readV2,
  signatureV2,
} from './macaroon-v2.ts'

/** The location in every L402 macaroon. Nothing reads it; Aperture's tokens would differ without it. */
export const LOCATION = 'lsat'

/** A macaroon that was read. */
export interface Macaroon extends MacaroonFields {
  readonly bytes: Uint8Array
}

/** What `bytes` hold in binary version 2 or 1; `undefined` when that is no macaroon, or one beyond the limits. */
export function readMacaroon(bytes: Uint8Array): Macaroon | undefined {
  if (bytes.length > MAX_MACAROON_BYTES) return undefined
  const fields = bytes[0] === V2_MARK ? readV2(bytes) : readV1(bytes)
  return fields && { ...fields, bytes }
}

/** A macaroon in version 2, signed with `rootKey`. */
export function signMacaroon(
  rootKey: Uint8Array,
  identifier: Uint8Array,
  caveats: readonly string[],
  location = LOCATION,
): Uint8Array {
  const chain = library.newMacaroon({ identifier, location, rootKey, version: 2 })
  return extend(headerV2(location, identifier), chain, caveats)
}

/** `macaroon` with more caveats. Version 1 becomes version 2, which has the same signature. */
export function extendMacaroon(macaroon: Macaroon, caveats: readonly string[]): Uint8Array {
  const { version, bytes, location, identifier } = macaroon
  const before =
    version === 2
      ? bytes.subarray(0, -SIGNATURE_V2_BYTES)
      : concat(headerV2(location, identifier), ...macaroon.caveats.map(caveatV2))
  return extend(before, open(macaroon), caveats)
}

// The library's own export doubles its buffer with every field: four caveats are too much for it.
function extend(before: Uint8Array, chain: Chain, caveats: readonly string[]): Uint8Array {
  for (const caveat of caveats) chain.addFirstPartyCaveat(caveat)
  return concat(before, ...caveats.map(caveatV2), signatureV2(chain.signature))
}

/**
 * Whether `rootKey` signed the macaroon and its caveats; not whether they are met. No when a third party is
 * to discharge it.
 */
export function hasSignature(macaroon: Macaroon, rootKey: Uint8Array): boolean {
  try {
    open(macaroon).verify(rootKey, () => null)
    return true
  } catch {
    // The library's way to say no.
    return false
  }
}

type Chain = ReturnType<typeof library.importMacaroon>

function open(macaroon: Macaroon): Chain {
  if (macaroon.version === 2) return library.importMacaroon(macaroon.bytes)
  // The library reads version 1 from JSON only, and there only identifiers that are UTF-8. The signature
  // is that of the same parts in version 2.
  return library.importMacaroon({
    v: 2,
    l: macaroon.location,
    i64: toBase64(macaroon.identifier),
    s64: toBase64(macaroon.signature),
    c: macaroon.caveats.map((i) => ({ i })),
  })
}
