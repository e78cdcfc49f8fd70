import { bytes } from '../known-answers.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import type { Link } from '../../../mailbox/link.ts'
import type { HandshakeOptions } from '../../../mailbox/noise/handshake.ts'
import { HandshakeState } from '../../../mailbox/noise/handshake-state.ts'
import type { Pattern, Role } from '../../../mailbox/noise/patterns.ts'
import { KK, XX } from '../../../mailbox/noise/patterns.ts'
import type { Version, VersionRange } from '../../../mailbox/noise/version.ts'

/** One end of a recorded handshake. */
export interface RecordedEnd {
  static_priv: string
  static_pub: string
  ephemeral_priv: string
  ephemeral_pub: string
  min_version: Version
  max_version: Version
  final_version: Version
  set_remote_called_with?: string
  set_auth_data_called_with?: string
  error?: string
}

export interface RecordedAct {
  act: 1 | 2 | 3
  from: Role
  version_byte: Version
  bytes: string
  h_after: string
  ck_after: string
  k_after: string
  nonce_after: number
}

export interface RecordedMessage {
  index: number
  plaintext?: string
  plaintext_length: number
  header: string
  body?: string
  body_sha256?: string
  key_before: string
  header_nonce: number
}

export interface RecordedHandshake {
  name: string
  pattern: string
  stretched_key?: string
  auth_data?: string
  auth_data_length: number
  initiator: RecordedEnd
  responder: RecordedEnd
  h_initial: string
  ck_initial: string
  acts: RecordedAct[]
  ck_final?: string
  key_initiator_to_responder?: string
  key_responder_to_initiator?: string
  messages_initiator_to_responder?: RecordedMessage[]
  messages_responder_to_initiator?: RecordedMessage[]
}

export const patternOf = (recorded: { pattern: string }): Pattern =>
  recorded.pattern === 'KK' ? KK : XX

/** Auth data of a recording; the large ones are given by the rule of noise_large_auth.json. */
export function authDataOf(recorded: RecordedHandshake): Uint8Array {
  if (recorded.auth_data !== undefined) return bytes(recorded.auth_data)
  return Uint8Array.from({ length: recorded.auth_data_length }, (_, i) => i * 7 + (i >> 8) + 3)
}

/** The state of `role` before the first act, with the recorded keys. */
export function recordedState(recorded: RecordedHandshake, role: Role): HandshakeState {
  const own = recorded[role]
  const peer = recorded[role === 'initiator' ? 'responder' : 'initiator']
  const pattern = patternOf(recorded)
  return new HandshakeState(nodeCrypto, pattern, role, {
    s: bytes(own.static_priv),
    e: bytes(own.ephemeral_priv),
    rs: pattern === KK ? bytes(peer.static_pub) : undefined,
    pw: recorded.stretched_key === undefined ? undefined : bytes(recorded.stretched_key),
  })
}

/** Options of `initiate` or `respond` that replay a recording, with Go's version range unless given. */
export function recordedOptions(
  recorded: RecordedHandshake,
  role: Role,
  range: VersionRange = {
    minVersion: recorded[role].min_version,
    maxVersion: recorded[role].max_version,
  },
): HandshakeOptions {
  const own = recorded[role]
  const peer = recorded[role === 'initiator' ? 'responder' : 'initiator']
  return {
    crypto: nodeCrypto,
    clock: systemClock,
    static: bytes(own.static_priv),
    ephemeral: bytes(own.ephemeral_priv),
    remoteStatic: recorded.pattern === 'KK' ? bytes(peer.static_pub) : undefined,
    stretched: recorded.stretched_key === undefined ? undefined : bytes(recorded.stretched_key),
    authData: role === 'responder' ? authDataOf(recorded) : undefined,
    ...range,
  }
}

/** `link` with every message sent through it noted as hex. */
export function noted(link: Link): Link & { readonly sent: string[] } {
  const sent: string[] = []
  return {
    sent,
    send: (message) => {
      sent.push(toHex(message))
      return link.send(message)
    },
    receive: () => link.receive(),
    close: () => link.close(),
  }
}
