/**
 * An established connection: the two windows, keep-alive (LNC §9.5) and FIN.
 *
 * Deviation: silence is noticed at a full window too. Where Go can send no ping, what is outstanding is
 * resent in its place; the peer answers that with an ACK or a NACK.
 */
import { PinholeError } from '../../src/base/errors.ts'
import type { Effect, Role } from './events.ts'
import type { Packet } from './packet.ts'
import { ReceiveWindow } from './receive-window.ts'
import { RoundTrip } from './round-trip.ts'
import { SendWindow } from './send-window.ts'

/** Silence before a ping, by role (LNC §9.5). They differ so that both ends do not ping at once. */
export const PING_MS: Readonly<Record<Role, number>> = { client: 7000, server: 5000 }

/** Silence after the ping before the peer counts as gone. */
export const PONG_MS = 3000

/** What an established connection knows. Changed in place by the functions below. */
export interface Connection {
  readonly role: Role
  readonly openedAt: number
  readonly roundTrip: RoundTrip
  readonly sending: SendWindow
  readonly receiving: ReceiveWindow
  /** When to ping, or to give the peer up once it was pinged; `Infinity` while a server has no link below. */
  keepAliveAt: number
  pinged: boolean
}

/** A connection with window `n` whose handshake took `handshakeMs`. */
export function createConnection(
  role: Role,
  n: number,
  now: number,
  handshakeMs: number,
): Connection {
  const roundTrip = new RoundTrip(handshakeMs)
  return {
    role,
    openedAt: now,
    roundTrip,
    sending: new SendWindow(role, n, roundTrip),
    receiving: new ReceiveWindow(n, roundTrip),
    keepAliveAt: now + PING_MS[role],
    pinged: false,
  }
}

/** When something falls due. */
export function connectionDeadline({ sending, receiving, keepAliveAt }: Connection): number {
  return Math.min(sending.resendAt, receiving.aliveAt, keepAliveAt)
}

/**
 * Takes a packet of an established connection; SYN and SYNACK are left-overs here (LNC §9.2).
 * @returns whether the peer ended the connection
 * @throws `ERR_LINK_MESSAGE_SIZE`
 */
export function receivePacket(
  connection: Connection,
  packet: Packet,
  now: number,
  effects: Effect[],
): boolean {
  if (connection.keepAliveAt < Infinity) connection.keepAliveAt = now + PING_MS[connection.role]
  connection.pinged = false
  connection.sending.heard(now)
  switch (packet.type) {
    case 'data':
      connection.receiving.data(packet, now, effects)
      return false
    case 'ack':
      connection.sending.acknowledged(packet.seq, now)
      return false
    case 'nack':
      connection.sending.refused(packet.seq, now, effects)
      return false
    case 'fin':
      return true
    case 'syn':
    case 'synack':
      return false
  }
}

/** Does what fell due. @throws `ERR_GBN_SILENT` when the peer did not answer a ping. */
export function connectionTimeout(
  connection: Connection,
  busy: boolean,
  now: number,
  effects: Effect[],
): void {
  const { sending, receiving } = connection
  if (receiving.aliveAt <= now) receiving.timeout(now, effects)
  if (sending.resendAt <= now) sending.timeout(busy, now, effects)
  if (connection.keepAliveAt > now) return
  if (connection.pinged) {
    const silence = PING_MS[connection.role] + PONG_MS
    throw new PinholeError('ERR_GBN_SILENT', `nothing was heard of the peer for ${silence} ms`)
  }
  connection.pinged = true
  connection.keepAliveAt = now + PONG_MS
  if (sending.outstanding === 0) sending.ping(now, effects)
  else if (!busy) sending.resend(now, effects)
}

/**
 * The link below is lost. Deviation: a server does not count the time without one as the peer's silence. It
 * has nothing better to do than to wait, and a Go client whose server gave up notices after 20 s only.
 */
export function sleepConnection(connection: Connection): void {
  if (connection.role === 'server') connection.keepAliveAt = Infinity
}

/**
 * The link below was lost and is back: what was on its way may be gone, so the peer is asked at once. It may
 * need longer than a pong to come back itself: Go's ends try every 2 s.
 */
export function wakeConnection(connection: Connection, now: number, effects: Effect[]): void {
  const { role, sending, roundTrip } = connection
  if (role === 'server') {
    connection.keepAliveAt = now + PING_MS.server
    connection.pinged = false
  } else if (connection.pinged) {
    connection.keepAliveAt = Math.max(connection.keepAliveAt, now + PONG_MS)
  }
  roundTrip.progressed()
  sending.heard(now)
  if (sending.outstanding === 0) sending.ping(now, effects)
  else sending.resend(now, effects)
}
