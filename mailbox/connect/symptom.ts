/**
 * What a connection attempt runs into, and how long each may last before `connect` gives up. Once a
 * session has been ready it goes on for ever, and the symptom is only what its state and calls report.
 */
import { isPinholeError, PinholeError } from '../../src/base/errors.ts'
import type { FailureKind, RelayFailure } from '../transport/failure.ts'

/**
 * `silent`: the boxes are there, the node does not answer. `handshake`: it answers, but the handshake
 * fails. `hopeless`: no further try will do better. `expired`: the session is over, also for one that had
 * worked. The others are the relay's.
 */
export type SymptomKind = FailureKind | 'silent' | 'handshake' | 'hopeless' | 'expired'

/** One symptom. */
export interface Symptom {
  readonly kind: SymptomKind
  readonly error: PinholeError
}

/**
 * How long each symptom may last, in milliseconds, while the first connection is made. A node that has just
 * made a session needs a moment to create its boxes, a relay to notice that the last connection is gone.
 */
export const PATIENCE_MS: Readonly<Record<SymptomKind, number>> = {
  'not-found': 3000,
  'in-use': 3000,
  unreachable: 5000,
  certificate: 0,
  refused: 1000,
  ended: 5000,
  // A node that starts up or comes back may take its time: until the caller's own limit.
  silent: Infinity,
  handshake: 5000,
  hopeless: 0,
  expired: 0,
}

/**
 * How long the boxes of a known pairing may be missing, in milliseconds: a Go node stays on its phrase's
 * boxes for up to 16 s after a client has crashed.
 */
export const PAIRED_NOT_FOUND_MS = 20_000

/** Who is asked for: decides what a missing box means. */
export interface Sought {
  /** The relay, for messages. */
  readonly where: string
  /** Whether the node's key is known from an earlier connection. */
  readonly paired: boolean
  /** Whether the macaroon is past its end. */
  readonly expired: boolean
}

/** The symptom that a failing way to the boxes is. */
export function relaySymptom({ kind, error }: RelayFailure, sought: Sought): Symptom {
  if (kind !== 'not-found') return { kind, error }
  const { where, paired, expired } = sought
  if (expired) return expiredSymptom(error)
  const gone = `${where} has no boxes for this session: it was revoked or has expired, or the node is down`
  const unknown = `${where} has no boxes for this phrase`
  return {
    kind,
    error: paired
      ? new PinholeError('ERR_SESSION_EXPIRED', gone, { cause: error })
      : new PinholeError('ERR_SESSION_NOT_FOUND', unknown, { cause: error }),
  }
}

/** The symptom of boxes that are there and a node that does not answer. */
export function silentSymptom(sought: Sought): Symptom {
  const text = `the node does not answer through ${sought.where}`
  return { kind: 'silent', error: new PinholeError('ERR_NODE_OFFLINE', text) }
}

/** Why a connection that stands is of no use now. */
export const unheardError = (where: string): PinholeError =>
  new PinholeError('ERR_NODE_OFFLINE', `the node has stopped to answer through ${where}`)

function expiredSymptom(cause: PinholeError): Symptom {
  const text = 'the macaroon of this session is past its end, and the session is gone'
  return { kind: 'expired', error: new PinholeError('ERR_SESSION_EXPIRED', text, { cause }) }
}

/** The symptom that a failed handshake, or what follows it, is. */
export function handshakeSymptom(error: PinholeError): Symptom {
  // Another version, keys that are none, a store that does not keep: trying again changes nothing.
  const hopeless = isPinholeError(
    error,
    'ERR_NOISE_VERSION',
    'ERR_NOISE_AUTH_DATA',
    'ERR_SESSION_KEYS',
    'ERR_SESSION_STORE',
  )
  return { kind: hopeless ? 'hopeless' : 'handshake', error }
}
