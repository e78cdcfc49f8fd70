/** Decides whether a credential opens a service. Asks nobody but the keeper of the root keys. */
import { createHash } from 'node:crypto'
import { equalBytes } from '../../src/base/bytes.ts'
import type { Credential } from './authorization.ts'
import { checkConditions } from './conditions.ts'
import { decodeIdentifier } from './identifier.ts'
import { hasSignature, readMacaroon } from './macaroon.ts'

/** Why a credential opens nothing, in the order of the checks. */
const REASONS = [
  'malformed',
  'preimage',
  'unknown',
  'signature',
  'caveat',
  'service',
  'expired',
] as const

/** Why a credential opens nothing. */
export type Refusal = (typeof REASONS)[number]

/** What came of a credential. */
export type Verdict =
  | {
      readonly name: 'valid'
      /** SHA-256 of the identifier, 32 bytes. */
      readonly identifierHash: Uint8Array
      readonly tokenId: Uint8Array
      readonly paymentHash: Uint8Array
      /** Milliseconds since 1970 from which it is valid no more; `undefined` is never. */
      readonly expiresAtMs: number | undefined
    }
  | { readonly name: 'refused'; readonly reason: Refusal }

/** Against what a credential is held. */
export interface VerifyOptions {
  /** The root key kept under an identifier's SHA-256; `undefined` when there is none (any more). */
  readonly rootKey: (identifierHash: Uint8Array) => Uint8Array | undefined
  /** Name of the service that is to be opened. */
  readonly service: string
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/**
 * Holds a credential against a service. Of several macaroons any that opens it by itself will do; if none
 * does, the reason is that of the one that came furthest. Throws only what `rootKey` throws.
 */
export function verify(credential: Credential, options: VerifyOptions): Verdict {
  let furthest: Refusal = 'malformed'
  for (const macaroon of credential.macaroons) {
    const verdict = verifyOne(macaroon, credential.preimage, options)
    if (verdict.name === 'valid') return verdict
    if (REASONS.indexOf(verdict.reason) > REASONS.indexOf(furthest)) furthest = verdict.reason
  }
  return refused(furthest)
}

const refused = (reason: Refusal): Verdict => ({ name: 'refused', reason })

function verifyOne(bytes: Uint8Array, preimage: Uint8Array, options: VerifyOptions): Verdict {
  const macaroon = readMacaroon(bytes)
  const identifier = macaroon && decodeIdentifier(macaroon.identifier)
  if (!identifier) return refused('malformed')
  // The payment first: what costs a look-up and a chain of HMACs is then done for buyers only.
  if (!equalBytes(sha256(preimage), identifier.paymentHash)) return refused('preimage')
  const identifierHash = sha256(macaroon.identifier)
  const rootKey = options.rootKey(identifierHash)
  if (!rootKey) return refused('unknown')
  if (macaroon.thirdParty) return refused('caveat')
  if (!hasSignature(macaroon, rootKey)) return refused('signature')
  const conditions = checkConditions(macaroon.caveats, options.service, options.nowMs)
  if (conditions.name === 'unmet') return refused(conditions.reason)
  return { name: 'valid', identifierHash, ...identifier, expiresAtMs: conditions.expiresAtMs }
}

const sha256 = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(bytes).digest())
