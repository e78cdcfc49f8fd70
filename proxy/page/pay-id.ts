/**
 * The secret by which a payment page asks for its credential. The macaroon of a 402 is no secret, for it
 * opens nothing without the preimage; so whoever wants the preimage from us has to show this as well. It is
 * derived from the token's root key: nothing need be remembered, and a page outlives a restart of the hub.
 */
import { createHash, createHmac } from 'node:crypto'
import { equalBytes } from '../../src/base/bytes.ts'
import { decodeIdentifier, IDENTIFIER_BYTES } from '../l402/identifier.ts'

/** Keeps these HMACs apart from those of macaroons, whose key is another. */
const PURPOSE = 'pinhole payment page'
const MAC_BYTES = 32
/** Base64url without padding. */
const ID_CHARS = Math.ceil(((IDENTIFIER_BYTES + MAC_BYTES) * 8) / 6)

/** A pay id and the name that its token's root key is kept under. */
export interface PayId {
  readonly payId: string
  readonly identifierHash: Uint8Array
}

/** Which token a page waits for. */
export interface AwaitedToken {
  readonly identifierHash: Uint8Array
  readonly paymentHash: Uint8Array
}

const hashOf = (identifier: Uint8Array) =>
  Uint8Array.from(createHash('sha256').update(identifier).digest())

const macOf = (identifier: Uint8Array, rootKey: Uint8Array) =>
  createHmac('sha256', rootKey).update(PURPOSE).update(identifier).digest()

/** The pay id of a token: its identifier and a MAC, in base64url. */
export function payIdOf(identifier: Uint8Array, rootKey: Uint8Array): PayId {
  const bytes = Buffer.concat([identifier, macOf(identifier, rootKey)])
  return { payId: bytes.toString('base64url'), identifierHash: hashOf(identifier) }
}

/** The token of a pay id; `undefined` when it is none of ours or its token was revoked. */
export function readPayId(
  payId: string,
  rootKeyOf: (identifierHash: Uint8Array) => Uint8Array | undefined,
): AwaitedToken | undefined {
  if (payId.length !== ID_CHARS) return undefined
  const bytes = Uint8Array.from(Buffer.from(payId, 'base64url'))
  const identifier = bytes.subarray(0, IDENTIFIER_BYTES)
  const paymentHash = decodeIdentifier(identifier)?.paymentHash
  if (!paymentHash) return undefined
  const identifierHash = hashOf(identifier)
  const rootKey = rootKeyOf(identifierHash)
  if (!rootKey) return undefined
  const mac = bytes.subarray(IDENTIFIER_BYTES)
  return equalBytes(mac, macOf(identifier, rootKey)) ? { identifierHash, paymentHash } : undefined
}
