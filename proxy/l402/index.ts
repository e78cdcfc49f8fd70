/** L402 (once LSAT): tokens that a payment opens. The package export `pinhole/l402`. */
export { formatAuthorization, parseAuthorization, type Credential } from './authorization.ts'
export {
  formatCaveat,
  parseCaveat,
  serviceCaveats,
  type Caveat,
  type MintedService,
} from './caveat.ts'
export { formatChallenge, parseChallenge, type Challenge, type Offer } from './challenge.ts'
export { decodeIdentifier, encodeIdentifier, type Identifier } from './identifier.ts'
export { attenuate, mint, type MintedToken, type MintOptions } from './mint.ts'
export { verify, type Refusal, type Verdict, type VerifyOptions } from './verify.ts'
