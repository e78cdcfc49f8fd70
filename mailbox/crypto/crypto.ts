/**
 * The primitives LNC stands on (LNC §4), as one interface with two implementations: `node.ts` on
 * OpenSSL and `browser.ts` in plain JavaScript. Both pass the same tests.
 *
 * Where these functions are given bytes that a peer chose, a failure is a returned value; wrong
 * lengths of one's own keys are a `TypeError`.
 */

/** Length of a symmetric key and of a private key, in bytes. */
export const KEY_BYTES = 32

/** Length of a compressed secp256k1 point, in bytes. */
export const PUBLIC_KEY_BYTES = 33

/** Length of the Poly1305 tag at the end of every ciphertext, in bytes. */
export const TAG_BYTES = 16

/** Cost of scrypt (RFC 7914 §2). */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** What the layers above need of cryptography. */
export interface LncCrypto {
  /** `length` bytes from the system's generator. */
  randomBytes(length: number): Uint8Array

  /** SHA-256 of `parts` one after the other. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array

  sha512(message: Uint8Array): Uint8Array

  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array

  /** RFC 5869 with SHA-256 and empty info: 64 bytes, as two halves. */
  hkdf64(salt: Uint8Array, ikm: Uint8Array): [Uint8Array, Uint8Array]

  /**
   * ChaCha20-Poly1305 with the nonce 0000 ‖ `counter` as 64-bit **little-endian** (LNC §4).
   * Writes ciphertext ‖ tag to `into`, which must be 16 bytes longer than `plaintext`, and returns
   * it; a new array when left out.
   */
  seal(
    key: Uint8Array,
    counter: number,
    ad: Uint8Array | undefined,
    plaintext: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array

  /** The plaintext of what `seal` made, or `undefined` when the tag is wrong. */
  open(
    key: Uint8Array,
    counter: number,
    ad: Uint8Array | undefined,
    sealed: Uint8Array,
  ): Uint8Array | undefined

  /** RFC 7914, 32 bytes of output; never blocks the event loop for long. */
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array>

  /** A fresh private key, 32 bytes. */
  generatePrivateKey(): Uint8Array

  /** Whether `bytes` are a scalar of 1 … order − 1, 32 bytes. */
  isPrivateKey(bytes: Uint8Array): boolean

  /** Whether `bytes` are a compressed point on the curve, 33 bytes. */
  isPublicKey(bytes: Uint8Array): boolean

  /** Compressed public key of `privateKey`. Throws a `TypeError` unless `isPrivateKey(privateKey)`. */
  publicKey(privateKey: Uint8Array): Uint8Array

  /**
   * The compressed point `scalar`·`point`, in time that does not depend on the scalar.
   * Throws a `TypeError` unless `isPrivateKey(scalar)` and `isPublicKey(point)`.
   */
  multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array

  /** SHA-256 of the compressed shared point, prefix included (LNC §4). Throws as `multiply` does. */
  ecdh(privateKey: Uint8Array, remotePublic: Uint8Array): Uint8Array
}

/** Writes the nonce of `counter` to 12 bytes whose first four are zero (LNC §4), and returns them. */
export function writeNonce(counter: number, nonce: Uint8Array): Uint8Array {
  let rest = counter
  for (let at = 4; at < 12; at++) {
    nonce[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return nonce
}
