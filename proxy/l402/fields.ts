/** What is in a macaroon, whichever encoding it came in, and how much of it may be there. */

/** Longest macaroon that is read, in bytes: some thirty times what is minted for a service. */
export const MAX_MACAROON_BYTES = 8_192
/** Most caveats that are read: each costs an HMAC to whoever verifies. */
export const MAX_CAVEATS = 64
/** Bytes of a signature (HMAC-SHA-256). */
export const SIGNATURE_BYTES = 32

/** The parts of a macaroon. Byte strings are views of what was read. */
export interface MacaroonFields {
  readonly version: 1 | 2
  readonly location: string
  readonly identifier: Uint8Array
  /** Texts of its first-party caveats, in order. */
  readonly caveats: readonly string[]
  /** Whether a third party is to discharge it; such caveats are not among `caveats`. */
  readonly thirdParty: boolean
  readonly signature: Uint8Array
}

// A byte order mark is a character like any other: dropping it would make one caveat of another.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of UTF-8 bytes; `undefined` when they are not UTF-8. */
export function strictText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
