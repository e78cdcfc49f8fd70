/** The port through which the paywall keeps what it has sold. */

/** A token that is about to be offered. */
export interface NewToken {
  /** SHA-256 of the macaroon's identifier, 32 bytes. */
  readonly identifierHash: Uint8Array
  /** 32 bytes; secret. */
  readonly rootKey: Uint8Array
  readonly tokenId: Uint8Array
  readonly paymentHash: Uint8Array
  readonly service: string
  readonly priceMsat: bigint
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** Keeps root keys and transactions. */
export interface TokenStore {
  /** Resolves when the token and its transaction would survive a crash; many at once share a commit. */
  add(token: NewToken): Promise<void>
  /**
   * Whether `add` is worth a try: `false` while it would fail, so that no invoice is made in vain. Left out, it always is.
   */
  ready?(): boolean
  /** The root key of an identifier's hash; `undefined` when it was never sold or has been revoked. */
  rootKey(identifierHash: Uint8Array): Uint8Array | undefined
  /** What a token was sold for, in millisatoshis; `undefined` when that is not known. */
  priceMsat?(identifierHash: Uint8Array): bigint | undefined
  /**
   * Remembers that a token's preimage was shown: it is paid, whatever the node has told so far. Must not
   * throw; may be late.
   */
  paid(identifierHash: Uint8Array): void
  /** Tells of every revocation from now on; the returned function ends that. */
  onRevoked(listener: (identifierHash: Uint8Array) => void): () => void
}
