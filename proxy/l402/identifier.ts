/** The identifier of an L402 macaroon: which payment opens it, and which token it is. */

/** Version 0, the only one. */
export interface Identifier {
  /** SHA-256 of the preimage, 32 bytes. */
  readonly paymentHash: Uint8Array
  /** 32 random bytes. */
  readonly tokenId: Uint8Array
}

/** Bytes of a payment hash and of a token id. */
export const HASH_BYTES = 32
const VERSION_BYTES = 2
/** Bytes of an encoded identifier. */
export const IDENTIFIER_BYTES = VERSION_BYTES + 2 * HASH_BYTES

/** `uint16 version (0) ‖ payment hash ‖ token id`. Throws a `TypeError` when a part has not 32 bytes. */
export function encodeIdentifier({ paymentHash, tokenId }: Identifier): Uint8Array {
  if (paymentHash.length !== HASH_BYTES || tokenId.length !== HASH_BYTES) {
    throw new TypeError(`a payment hash and a token id have ${HASH_BYTES} bytes`)
  }
  const bytes = new Uint8Array(IDENTIFIER_BYTES)
  bytes.set(paymentHash, VERSION_BYTES)
  bytes.set(tokenId, VERSION_BYTES + HASH_BYTES)
  return bytes
}

/** The parts of an identifier, copied; `undefined` when its length or version is another. */
export function decodeIdentifier(bytes: Uint8Array): Identifier | undefined {
  if (bytes.length !== IDENTIFIER_BYTES || bytes[0] !== 0 || bytes[1] !== 0) return undefined
  const at = VERSION_BYTES + HASH_BYTES
  return {
    paymentHash: Uint8Array.from(bytes.subarray(VERSION_BYTES, at)),
    tokenId: Uint8Array.from(bytes.subarray(at)),
  }
}
