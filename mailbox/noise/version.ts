/**
 * Which version byte an end writes and accepts (LNC §6.4). The byte precedes each act and is not
 * authenticated: a relay may rewrite it. Version 2 means that the ends keep each other's static key,
 * so an initiator that let itself be talked down to 1 could lock itself out of its session; unless
 * told otherwise ours takes 2 or nothing.
 */
import { PinholeError } from '../../src/base/errors.ts'
import type { Pattern, Role } from './patterns.ts'

/** 0: auth data in a block of 500 bytes; 1: of any size; 2: the same, and the static keys are kept. */
export type Version = 0 | 1 | 2

const VERSIONS: readonly Version[] = [0, 1, 2]

/** From this version on the ends keep each other's static key, and KK is spoken. */
export const KEEPS_KEYS: Version = 2

/** Versions that an end accepts. */
export interface VersionRange {
  /**
   * The lowest to accept. An initiator that gives it opens with it, as Go does. Left out, a responder
   * accepts 0 to its maximum; an initiator opens XX with 0, which every responder lets pass, and
   * accepts 2 only.
   */
  readonly minVersion?: Version
  /** The highest to accept, which a responder answers with. 2 when left out. */
  readonly maxVersion?: Version
}

/** One end's view of the version during a handshake. */
export interface Negotiation {
  /** What to write before one's own next act, and after the handshake what was agreed. */
  readonly version: Version
  /** Judges the byte before the peer's act. Throws `ERR_NOISE_VERSION`. */
  accept(act: number, byte: number): Version
}

/** Starts a negotiation. Throws `ERR_NOISE_VERSION` when KK is asked for without version 2. */
export function negotiate(role: Role, pattern: Pattern, range: VersionRange): Negotiation {
  const { minVersion, maxVersion = KEEPS_KEYS } = range
  if (pattern.staticsKnown && maxVersion < KEEPS_KEYS) {
    throw new PinholeError('ERR_NOISE_VERSION', 'paired ends speak handshake version 2 only')
  }
  const least = pattern.staticsKnown ? KEEPS_KEYS : minVersion
  return role === 'initiator'
    ? new Negotiator(least ?? 0, least ?? KEEPS_KEYS, maxVersion, role)
    : new Negotiator(maxVersion, least ?? 0, maxVersion, role)
}

class Negotiator implements Negotiation {
  version: Version
  readonly #min: Version
  readonly #max: Version
  readonly #role: Role

  constructor(first: Version, min: Version, max: Version, role: Role) {
    this.version = first
    this.#min = min
    this.#max = max
    this.#role = role
  }

  accept(act: number, byte: number): Version {
    const known = VERSIONS.find((version) => version === byte)
    // The responder has written its version in act two and holds to it.
    const settled = act === 3
    const accepted = settled
      ? known === this.version
      : known !== undefined && known >= this.#min && known <= this.#max
    if (known === undefined || !accepted) throw this.#refusal(act, byte, settled)
    // The initiator adopts what act two says; the responder keeps its own.
    if (this.#role === 'initiator') this.version = known
    return known
  }

  #refusal(act: number, byte: number, settled: boolean): PinholeError {
    const range = settled ? `${this.version}` : `${this.#min} to ${this.#max}`
    return new PinholeError(
      'ERR_NOISE_VERSION',
      `act ${act} of the peer has handshake version ${byte}, this end accepts ${range}`,
    )
  }
}
