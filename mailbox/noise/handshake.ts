/**
 * Runs a handshake over a link, one act per message (LNC §6.5), and puts the record link on top.
 * KK when the peer's static key is known, else XX (LNC §3).
 */
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { concat, wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { KEY_BYTES } from '../crypto/crypto.ts'
import type { Link } from '../link.ts'
import { ActReader } from './act-reader.ts'
import { HandshakeState } from './handshake-state.ts'
import { openPayload, sealPayload } from './payload.ts'
import { KK, XX } from './patterns.ts'
import type { Act, Pattern, Role } from './patterns.ts'
import { recordLink } from './record-link.ts'
import { KEEPS_KEYS, negotiate } from './version.ts'
import type { Negotiation, Version, VersionRange } from './version.ts'

/** How long to wait for each act of the peer, in milliseconds; Go allows the same. */
export const ACT_TIMEOUT_MS = 5000

const NO_AUTH_DATA = new Uint8Array()

/** What a handshake needs. Keys are copied and the copies wiped; the caller's own stay as they are. */
export interface HandshakeOptions extends VersionRange {
  readonly crypto: LncCrypto
  readonly clock: Clock
  /** Own static private key, 32 bytes. */
  readonly static: Uint8Array
  /** The peer's static public key, 33 bytes; when given the pattern is KK. */
  readonly remoteStatic?: Uint8Array | undefined
  /** The stretched phrase, 32 bytes; for XX. */
  readonly stretched?: Uint8Array | undefined
  /** What the responder sends in act two, of any size (498 bytes at most in version 0). */
  readonly authData?: Uint8Array | undefined
  /**
   * Keeps the peer's static key, in version 2: the initiator's of a first pairing before act three is
   * written, else after the last act. A rejection fails the handshake.
   */
  readonly onRemoteStatic?: ((key: Uint8Array) => void | Promise<void>) | undefined
  /** Takes the auth data of act two, initiator only, after `onRemoteStatic`; a rejection fails the handshake. */
  readonly onAuthData?: ((authData: Uint8Array) => void | Promise<void>) | undefined
  /** Private key to use as ephemeral; for tests that replay a recorded handshake. */
  readonly ephemeral?: Uint8Array | undefined
  /** Wait for each act, in milliseconds; `ACT_TIMEOUT_MS` when left out. */
  readonly timeoutMs?: number | undefined
}

/** Two ends that know each other. */
export interface NoiseSession {
  /** Encrypted link; a byte stream in records (LNC §7). */
  readonly link: Link
  /** The peer's static public key, 33 bytes. */
  readonly remoteStatic: Uint8Array
  /** What act two carried. */
  readonly authData: Uint8Array
  readonly version: Version
}

/**
 * Opens a handshake over `lower`. When it fails `lower` is closed and the promise rejects:
 * `ERR_NOISE_VERSION`, `ERR_NOISE_ACT`, `ERR_NOISE_DECRYPT`, `ERR_NOISE_AUTH_DATA`,
 * `ERR_NOISE_TIMEOUT`, `ERR_LINK_CLOSED`, `ERR_SESSION_KEYS`, whatever `lower` or a callback rejects
 * with, or a `TypeError` when options are missing.
 */
export function initiate(lower: Link, options: HandshakeOptions): Promise<NoiseSession> {
  return run(lower, 'initiator', options)
}

/** Answers a handshake over `lower`; fails as `initiate` does. */
export function respond(lower: Link, options: HandshakeOptions): Promise<NoiseSession> {
  return run(lower, 'responder', options)
}

async function run(lower: Link, role: Role, options: HandshakeOptions): Promise<NoiseSession> {
  let state: HandshakeState | undefined
  try {
    const pattern = choosePattern(options)
    const negotiation = negotiate(role, pattern, options)
    state = begin(pattern, role, options)
    const authData = await exchangeActs(lower, state, pattern, negotiation, options)
    return await conclude(lower, state, pattern, negotiation.version, authData, options)
  } catch (reason) {
    await lower.close()
    throw reason
  } finally {
    state?.wipe()
  }
}

function choosePattern({ crypto, remoteStatic, stretched, ...options }: HandshakeOptions): Pattern {
  if (!crypto.isPrivateKey(options.static)) {
    throw new PinholeError(
      'ERR_SESSION_KEYS',
      'the local static key is not a secp256k1 private key',
    )
  }
  if (remoteStatic) {
    if (crypto.isPublicKey(remoteStatic)) return KK
    throw new PinholeError('ERR_SESSION_KEYS', 'the remote static key is not a secp256k1 point')
  }
  if (stretched?.length === KEY_BYTES) return XX
  throw new TypeError('a handshake needs a remote static key or a stretched phrase of 32 bytes')
}

function begin(pattern: Pattern, role: Role, options: HandshakeOptions): HandshakeState {
  const { static: s, remoteStatic: rs, stretched: pw, ephemeral: e } = options
  return new HandshakeState(options.crypto, pattern, role, { s, rs, pw, e })
}

/** Sends and awaits the acts in turn; resolves with the auth data. */
async function exchangeActs(
  lower: Link,
  state: HandshakeState,
  pattern: Pattern,
  negotiation: Negotiation,
  options: HandshakeOptions,
): Promise<Uint8Array> {
  let authData = options.authData ?? NO_AUTH_DATA
  for (const act of pattern.acts) {
    if (act.from === state.role) {
      // The responder keeps our key once it has read act three, and then answers to the keys alone; so
      // its key is safe here before that act is out, whatever happens next.
      if (act.number === 3) await keepRemote(state, negotiation.version, options)
      await lower.send(writeAct(state, act, negotiation.version, authData))
    } else {
      const message = await awaitAct(lower, act, options)
      const carried = readAct(state, act, negotiation, message)
      if (act.authData) authData = carried
    }
  }
  return authData
}

/** The bytes of one's own act: version, tokens, payload. */
export function writeAct(
  state: HandshakeState,
  act: Act,
  version: Version,
  authData: Uint8Array,
): Uint8Array {
  const tokens = state.writeTokens(act)
  return concat(
    Uint8Array.of(version),
    tokens,
    sealPayload(state.symmetric, act, version, authData),
  )
}

/** Takes in the peer's act; returns its auth data. */
export function readAct(
  state: HandshakeState,
  act: Act,
  negotiation: Negotiation,
  message: Uint8Array,
): Uint8Array {
  const reader = new ActReader(message, act.number)
  const version = negotiation.accept(act.number, reader.take(1)[0] ?? -1)
  state.readTokens(act, reader)
  return openPayload(state.symmetric, act, version, reader)
}

async function awaitAct(lower: Link, act: Act, options: HandshakeOptions): Promise<Uint8Array> {
  const timeoutMs = options.timeoutMs ?? ACT_TIMEOUT_MS
  let cancel: (() => void) | undefined
  const late = new Promise<never>((_, reject) => {
    cancel = options.clock.after(timeoutMs, () =>
      reject(
        new PinholeError('ERR_NOISE_TIMEOUT', `act ${act.number} did not come in ${timeoutMs} ms`),
      ),
    )
  })
  try {
    const message = await Promise.race([lower.receive(), late])
    if (message) return message
    throw new PinholeError(
      'ERR_LINK_CLOSED',
      `the peer closed the connection before act ${act.number}`,
    )
  } finally {
    cancel?.()
  }
}

async function keepRemote(
  state: HandshakeState,
  version: Version,
  { onRemoteStatic }: HandshakeOptions,
): Promise<void> {
  if (version >= KEEPS_KEYS) await onRemoteStatic?.(state.rs ?? new Uint8Array())
}

/** LNC §3: derive the keys, then store the remote key (unless that is done), then the auth data. */
async function conclude(
  lower: Link,
  state: HandshakeState,
  pattern: Pattern,
  version: Version,
  authData: Uint8Array,
  options: HandshakeOptions,
): Promise<NoiseSession> {
  const { crypto } = options
  const initiator = state.role === 'initiator'
  const [k1, k2] = state.symmetric.split()
  const link = recordLink(lower, {
    crypto,
    salt: state.symmetric.ck,
    sendKey: initiator ? k1 : k2,
    receiveKey: initiator ? k2 : k1,
  })
  wipe(k1, k2)
  const remoteStatic = state.rs ?? new Uint8Array()
  try {
    if (!initiator || pattern !== XX) await keepRemote(state, version, options)
    if (initiator) await options.onAuthData?.(authData)
  } catch (reason) {
    await link.close()
    throw reason
  }
  return { link, remoteStatic, authData, version }
}
