/**
 * Noise §5.3: the interpreter of the token tables, for both roles. Pure: bytes in, bytes out.
 */
import { PinholeError } from '../../src/base/errors.ts'
import { concat, utf8, wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { PUBLIC_KEY_BYTES, TAG_BYTES } from '../crypto/crypto.ts'
import type { ActReader } from './act-reader.ts'
import type { Act, Pattern, Role, Token } from './patterns.ts'
import { mask, unmask } from './spake2.ts'
import { SymmetricState } from './symmetric-state.ts'

const PROLOGUE = utf8('lightning-node-connect')

/** A private key and its compressed public one. */
export interface KeyPair {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** What a handshake starts from. The keys are copied. */
export interface HandshakeKeys {
  /** Own static private key. */
  readonly s: Uint8Array
  /** The peer's static public key, when known (KK). */
  readonly rs?: Uint8Array | undefined
  /** The stretched phrase (XX). */
  readonly pw?: Uint8Array | undefined
  /** Own ephemeral private key; tests only, else drawn when its token comes. */
  readonly e?: Uint8Array | undefined
}

/** One end of a handshake. Letters are those of Noise §7: own and remote, static and ephemeral. */
export class HandshakeState {
  readonly symmetric: SymmetricState
  readonly role: Role
  readonly s: KeyPair
  e: KeyPair | undefined
  rs: Uint8Array | undefined
  re: Uint8Array | undefined
  readonly #pw: Uint8Array | undefined
  readonly #crypto: LncCrypto

  constructor(crypto: LncCrypto, pattern: Pattern, role: Role, keys: HandshakeKeys) {
    this.#crypto = crypto
    this.role = role
    // `slice` of a `Buffer` would share its memory, which `wipe` then clears.
    this.s = this.#keyPair(Uint8Array.from(keys.s))
    this.rs = keys.rs && Uint8Array.from(keys.rs)
    this.#pw = keys.pw && Uint8Array.from(keys.pw)
    this.e = keys.e && this.#keyPair(Uint8Array.from(keys.e))
    this.symmetric = new SymmetricState(crypto, pattern.name)
    this.symmetric.mixHash(PROLOGUE)
    if (pattern.staticsKnown) this.#mixStatics()
  }

  /** The tokens of one's own act, as they go on the wire. */
  writeTokens(act: Act): Uint8Array {
    return concat(...act.tokens.map((token) => this.#write(token)))
  }

  /** Takes in the tokens of the peer's act. Throws `ERR_NOISE_ACT` or `ERR_NOISE_DECRYPT`. */
  readTokens(act: Act, reader: ActReader): void {
    for (const token of act.tokens) this.#read(token, reader)
  }

  /** Overwrites all secrets but the split keys, which are the caller's. */
  wipe(): void {
    wipe(this.s.privateKey, this.e?.privateKey, this.#pw)
    this.symmetric.wipe()
  }

  #write(token: Token): Uint8Array {
    switch (token) {
      case 'e':
        return this.#ephemeral()
      case 'me':
        return this.#masked(this.#ephemeral())
      case 's':
        return this.symmetric.encryptAndHash(this.s.publicKey)
      default:
        this.#mixDh(token)
        return new Uint8Array()
    }
  }

  #read(token: Token, reader: ActReader): void {
    switch (token) {
      case 'e':
        this.re = this.#point(reader.take(PUBLIC_KEY_BYTES), reader)
        return this.symmetric.mixHash(this.re)
      case 'me':
        // LNC §6.2: the unmasked key goes into the hash.
        this.re = this.#unmasked(this.#point(reader.take(PUBLIC_KEY_BYTES), reader), reader)
        return this.symmetric.mixHash(this.re)
      case 's': {
        const s = this.symmetric.decryptAndHash(reader.take(PUBLIC_KEY_BYTES + TAG_BYTES))
        if (!s) throw reader.unreadable('static key')
        this.rs = this.#point(s, reader)
        return
      }
      default:
        return this.#mixDh(token)
    }
  }

  #ephemeral(): Uint8Array {
    this.e ??= this.#keyPair(this.#crypto.generatePrivateKey())
    this.symmetric.mixHash(this.e.publicKey)
    return this.e.publicKey
  }

  #masked(e: Uint8Array): Uint8Array {
    const me = mask(e, required(this.#pw), this.#crypto)
    // One ephemeral key in 2^256.
    if (!me) throw new PinholeError('ERR_NOISE_ACT', 'the masked key is the point at infinity')
    return me
  }

  #unmasked(me: Uint8Array, reader: ActReader): Uint8Array {
    const e = unmask(me, required(this.#pw), this.#crypto)
    if (!e) throw reader.broken('holds the point at infinity')
    return e
  }

  #point(bytes: Uint8Array, reader: ActReader): Uint8Array {
    if (!this.#crypto.isPublicKey(bytes))
      throw reader.broken('holds a key that is not on the curve')
    return Uint8Array.from(bytes)
  }

  /** The first letter is the initiator's key, the second the responder's (Noise §7.1). */
  #mixDh(token: 'ee' | 'es' | 'se' | 'ss'): void {
    const initiator = this.role === 'initiator'
    const own = token[initiator ? 0 : 1] === 'e' ? this.e : this.s
    const remote = token[initiator ? 1 : 0] === 'e' ? this.re : this.rs
    this.symmetric.mixKey(this.#crypto.ecdh(required(own).privateKey, required(remote)))
  }

  #mixStatics(): void {
    const remote = required(this.rs)
    const initiator = this.role === 'initiator'
    this.symmetric.mixHash(initiator ? this.s.publicKey : remote)
    this.symmetric.mixHash(initiator ? remote : this.s.publicKey)
  }

  #keyPair(privateKey: Uint8Array): KeyPair {
    return { privateKey, publicKey: this.#crypto.publicKey(privateKey) }
  }
}

function required<Key>(key: Key | undefined): Key {
  if (key === undefined) throw new TypeError('the pattern needs a key that was not given')
  return key
}
