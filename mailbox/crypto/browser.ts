/**
 * LNC's primitives in plain JavaScript (`@noble/*`), for a browser or any other runtime. The work is
 * constant-time as far as its algorithms go; a JavaScript engine promises no more than that.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { randomBytes } from '@noble/hashes/utils.js'

import { wipe } from '../../src/base/bytes.ts'
import { KEY_BYTES, PUBLIC_KEY_BYTES, TAG_BYTES, writeNonce } from './crypto.ts'
import type { LncCrypto } from './crypto.ts'

/** `LncCrypto` without any `node:` import. */
export const browserCrypto: LncCrypto = {
  randomBytes: (length) => randomBytes(length),

  sha256(...parts) {
    const hash = sha256.create()
    for (const part of parts) hash.update(part)
    return hash.digest()
  },

  sha512: (message) => sha512(message),

  hmacSha256: (key, message) => hmac(sha256, key, message),

  hkdf64(salt, ikm) {
    const okm = hkdf(sha256, ikm, salt, undefined, 2 * KEY_BYTES)
    return [okm.slice(0, KEY_BYTES), okm.slice(KEY_BYTES)]
  },

  seal(key, counter, ad, plaintext, into = new Uint8Array(plaintext.length + TAG_BYTES)) {
    return cipher(key, counter, ad).encrypt(plaintext, into)
  },

  open(key, counter, ad, sealed) {
    if (sealed.length < TAG_BYTES) return undefined
    try {
      return cipher(key, counter, ad).decrypt(sealed)
    } catch {
      return undefined
    }
  },

  scrypt: (password, salt, cost) => scryptAsync(password, salt, { ...cost, dkLen: KEY_BYTES }),

  generatePrivateKey: () => secp256k1.utils.randomSecretKey(),

  isPrivateKey: (bytes) => secp256k1.utils.isValidSecretKey(bytes),

  isPublicKey: (bytes) =>
    bytes.length === PUBLIC_KEY_BYTES && secp256k1.utils.isValidPublicKey(bytes, true),

  publicKey(privateKey) {
    if (!browserCrypto.isPrivateKey(privateKey)) throw new TypeError('not a secp256k1 private key')
    return secp256k1.getPublicKey(privateKey)
  },

  multiply(scalar, point) {
    if (!browserCrypto.isPrivateKey(scalar)) throw new TypeError('not a secp256k1 scalar')
    if (!browserCrypto.isPublicKey(point)) throw new TypeError('not a secp256k1 point')
    return secp256k1.getSharedSecret(scalar, point)
  },

  ecdh(privateKey, remotePublic) {
    const shared = browserCrypto.multiply(privateKey, remotePublic)
    const digest = sha256(shared)
    wipe(shared)
    return digest
  },
}

const cipher = (key: Uint8Array, counter: number, ad: Uint8Array | undefined) =>
  chacha20poly1305(key, writeNonce(counter, new Uint8Array(12)), ad)
