/**
 * The two handshakes of LNC as data (LNC §6.2, notation of Noise §7). `handshake-state.ts` interprets
 * them; nothing else knows what an act holds.
 */

/** Noise §7.1, and `me`: the sender's ephemeral key under the password mask. */
export type Token = 'e' | 'me' | 's' | 'ee' | 'es' | 'se' | 'ss'

/** Who an act or a key belongs to. */
export type Role = 'initiator' | 'responder'

/** One message of a handshake. */
export interface Act {
  readonly number: 1 | 2 | 3
  readonly from: Role
  readonly tokens: readonly Token[]
  /** Whether the payload is the auth data rather than nothing (LNC §6.3). */
  readonly authData: boolean
}

/** A handshake. */
export interface Pattern {
  /** Protocol name, hashed into the first state. */
  readonly name: string
  /** Whether both static keys are known and hashed beforehand (Noise §7.2). */
  readonly staticsKnown: boolean
  readonly acts: readonly Act[]
}

const act = (number: 1 | 2 | 3, tokens: readonly Token[]): Act => ({
  number,
  from: number === 2 ? 'responder' : 'initiator',
  tokens,
  authData: number === 2,
})

/** First pairing: the ends share the phrase and learn each other's static key. */
export const XX: Pattern = {
  name: 'Noise_XXeke+SPAKE2_secp256k1_ChaChaPoly_SHA256',
  staticsKnown: false,
  acts: [act(1, ['me']), act(2, ['e', 'ee', 's', 'es']), act(3, ['s', 'se'])],
}

/** Every later connection: the ends know each other's static key. */
export const KK: Pattern = {
  name: 'Noise_KK_secp256k1_ChaChaPoly_SHA256',
  staticsKnown: true,
  acts: [act(1, ['e', 'es', 'ss']), act(2, ['e', 'ee', 'se'])],
}
