/**
 * Go-Back-N as a pure step: `step(state, event) → { state, effects }`. Sockets and timers are in
 * `driver.ts`, the two ends of a link in `link.ts` and `listen.ts`.
 *
 *     client   greeting ─SYN─► open ─► ended
 *     server   listening ─SYN─► answering ─SYNACK or DATA─► open ─► listening …
 *
 * A state belongs to its one user: an `open` one is changed in place for speed, which no one can see
 * who goes on with the state returned. The same events at the same times give the same effects.
 */
import { asPinholeError, PinholeError } from '../../src/base/errors.ts'
import {
  connectionDeadline,
  connectionTimeout,
  receivePacket,
  sleepConnection,
  wakeConnection,
  type Connection,
} from './connection.ts'
import type { Effect, Event } from './events.ts'
import {
  answeringStep,
  greetingStep,
  listeningStep,
  type Answering,
  type Greeting,
  type Listening,
} from './handshake.ts'
import { decodePacket, encodePacket, type Packet } from './packet.ts'

/** A SYN this soon after the handshake is a left-over of it; a later one means that the client started over. */
const LATE_SYN_MS = 100

/** Where one end stands. */
export type State =
  | Greeting
  | Listening
  | Answering
  | { readonly phase: 'open'; readonly connection: Connection }
  | { readonly phase: 'ended' }

/** The state after an event, and what to do now, in order. */
export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** When to bring the next `timer` event; `Infinity` when none is needed. */
export function deadline(state: State): number {
  switch (state.phase) {
    case 'greeting':
      return Math.min(state.retryAt, state.giveUpAt)
    case 'open':
      return connectionDeadline(state.connection)
    case 'listening':
    case 'answering':
    case 'ended':
      return Infinity
  }
}

/** Whether a `message` event is welcome. */
export function hasRoom(state: State): boolean {
  return state.phase === 'open' && state.connection.sending.hasRoom
}

/** Packets not yet acknowledged. */
export function outstanding(state: State): number {
  return state.phase === 'open' ? state.connection.sending.outstanding : 0
}

/** Takes one event. Never throws: what goes wrong is an `ended` effect with a coded error. */
export function step(state: State, event: Event): Step {
  switch (state.phase) {
    case 'greeting':
      return greetingStep(state, event)
    case 'listening':
      return listeningStep(state, event)
    case 'answering':
      return answeringStep(state, event)
    case 'open':
      return openStep(state, event)
    case 'ended':
      return { state, effects: [] }
  }
}

type Open = Extract<State, { phase: 'open' }>

function openStep(state: Open, event: Event): Step {
  const effects: Effect[] = []
  try {
    return openEvent(state, event, effects)
  } catch (reason) {
    // The peer broke the protocol or is silent: it is told, should it still listen.
    effects.push({ type: 'send', packet: encodePacket({ type: 'fin' }) })
    return ended(state, effects, event.now, asPinholeError(reason, 'ERR_GBN_PACKET'))
  }
}

function openEvent(state: Open, event: Event, effects: Effect[]): Step {
  const { connection } = state
  switch (event.type) {
    case 'packet':
      return openPacket(state, decodePacket(event.bytes), event, effects)
    case 'message':
      connection.sending.message(event.message, event.now, effects)
      break
    case 'read':
      connection.receiving.read(effects)
      break
    case 'timer':
      connectionTimeout(connection, event.busy, event.now, effects)
      break
    case 'sleep':
      sleepConnection(connection)
      break
    case 'wake':
      wakeConnection(connection, event.now, effects)
      break
    case 'close':
      effects.push({ type: 'send', packet: encodePacket({ type: 'fin' }) })
      return ended(state, effects, event.now, undefined)
  }
  return { state, effects }
}

function openPacket(state: Open, packet: Packet, event: Event, effects: Effect[]): Step {
  const { connection } = state
  const { now } = event
  if (packet.type === 'syn' && connection.role === 'server') {
    if (now - connection.openedAt < LATE_SYN_MS) return { state, effects }
    const error = new PinholeError('ERR_LINK_CLOSED', 'the client started over')
    const over = ended(state, effects, now, error)
    // The same SYN opens the next connection.
    const next = step(over.state, event)
    return { state: next.state, effects: [...effects, ...next.effects] }
  }
  if (!receivePacket(connection, packet, now, effects)) return { state, effects }
  return ended(state, effects, now, undefined)
}

/** A client's core ends with its connection, a server's listens on. */
function ended(
  { connection }: Open,
  effects: Effect[],
  now: number,
  error: PinholeError | undefined,
): Step {
  effects.push({ type: 'ended', error })
  const state: State =
    connection.role === 'client' ? { phase: 'ended' } : { phase: 'listening', finAt: now }
  return { state, effects }
}
