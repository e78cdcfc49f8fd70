/**
 * The Go-Back-N handshake (LNC §9.2): client SYN, server SYN, client SYNACK.
 *
 * Deviations:
 * - The client repeats its SYN after 300 ms at first (Go: 2 s); the server sees all of them before the
 *   SYNACK, since the link keeps order.
 * - The server answers SYNs that waited in the mailbox once, not each: a Go client dies of the second
 *   surplus answer.
 * - DATA in place of a lost SYNACK completes the handshake at once and is taken (Go fails, or throws it
 *   away after 6.5 s).
 * - DATA without a handshake comes from a client that does not know that the server started over: it
 *   is told so by a FIN, at most once a second. A client that is just greeting ignores that.
 */
import { PinholeError } from '../../src/base/errors.ts'
import { createConnection, receivePacket } from './connection.ts'
import type { Effect, Event } from './events.ts'
import { decodePacket, encodePacket, WINDOW, type DataPacket, type Packet } from './packet.ts'
import type { Step } from './step.ts'

/** When a client repeats its SYN; the wait doubles each time. */
const FIRST_RETRY_MS = 300
const MAX_RETRY_MS = 4000

/** SYNs within this time of an answer waited in the mailbox, and that answer is theirs too. */
const BACKLOG_MS = 100

/** Shortest time between two FINs to a client that has no connection. */
const STRAY_FIN_MS = 1000

/** Largest window a client may name: the numbers are one byte. */
const MAX_WINDOW = 254

/** A client that has sent SYN. Times in milliseconds of the clock. */
export interface Greeting {
  readonly phase: 'greeting'
  readonly startedAt: number
  readonly retryAt: number
  readonly retryMs: number
  readonly giveUpAt: number
}

/** A server that waits for SYN. */
export interface Listening {
  readonly phase: 'listening'
  readonly finAt: number
}

/** A server that has answered SYN. */
export interface Answering {
  readonly phase: 'answering'
  readonly n: number
  readonly firstAnsweredAt: number
  readonly answeredAt: number
}

/** A client's first step: sends SYN; gives up at `now + timeoutMs`. */
export function greet(now: number, timeoutMs: number): Step {
  const state: Greeting = {
    phase: 'greeting',
    startedAt: now,
    retryAt: now + FIRST_RETRY_MS,
    retryMs: FIRST_RETRY_MS,
    giveUpAt: now + timeoutMs,
  }
  return { state, effects: [syn(WINDOW)] }
}

/** A server's first state. */
export function listen(): Listening {
  return { phase: 'listening', finAt: -Infinity }
}

const syn = (n: number): Effect => ({ type: 'send', packet: encodePacket({ type: 'syn', n }) })
const fin: Effect = { type: 'send', packet: encodePacket({ type: 'fin' }) }

/** The packet, or nothing when it is broken: before the handshake those are left-overs. */
function leniently(bytes: Uint8Array): Packet | undefined {
  try {
    return decodePacket(bytes)
  } catch {
    return undefined
  }
}

/** One event of a greeting client. */
export function greetingStep(state: Greeting, event: Event): Step {
  switch (event.type) {
    case 'packet':
      return answered(state, leniently(event.bytes), event.now)
    case 'timer':
      if (event.now >= state.giveUpAt) return failed('the peer did not answer the SYN')
      if (event.now < state.retryAt) return { state, effects: [] }
      return greetAgain(state, event.now, event.busy)
    case 'wake':
      return greetAgain({ ...state, retryMs: FIRST_RETRY_MS / 2 }, event.now, false)
    case 'close':
      return { state: { phase: 'ended' }, effects: [{ type: 'ended', error: undefined }] }
    case 'message':
    case 'read':
    case 'sleep':
      return { state, effects: [] }
  }
}

function greetAgain(state: Greeting, now: number, busy: boolean): Step {
  const retryMs = Math.min(MAX_RETRY_MS, 2 * state.retryMs)
  return {
    state: { ...state, retryMs, retryAt: now + retryMs },
    effects: busy ? [] : [syn(WINDOW)],
  }
}

function answered(state: Greeting, packet: Packet | undefined, now: number): Step {
  if (packet?.type !== 'syn') return { state, effects: [] }
  if (packet.n !== WINDOW) return failed(`the peer wants a window of ${packet.n}, not ${WINDOW}`)
  const connection = createConnection('client', WINDOW, now, now - state.startedAt)
  const synack = encodePacket({ type: 'synack' })
  return {
    state: { phase: 'open', connection },
    effects: [{ type: 'send', packet: synack }, { type: 'opened' }],
  }
}

function failed(message: string): Step {
  const error = new PinholeError('ERR_GBN_HANDSHAKE', message)
  return { state: { phase: 'ended' }, effects: [{ type: 'ended', error }] }
}

/** One event of a listening server. */
export function listeningStep(state: Listening, event: Event): Step {
  if (event.type === 'close') return { state: { phase: 'ended' }, effects: [] }
  const packet = event.type === 'packet' ? leniently(event.bytes) : undefined
  if (packet?.type === 'syn' && isWindow(packet.n)) return answer(packet.n, event.now, event.now)
  const stray = packet?.type === 'data' && event.now - state.finAt >= STRAY_FIN_MS
  return stray
    ? { state: { phase: 'listening', finAt: event.now }, effects: [fin] }
    : { state, effects: [] }
}

const isWindow = (n: number) => n >= 1 && n <= MAX_WINDOW

function answer(n: number, firstAnsweredAt: number, now: number): Step {
  return { state: { phase: 'answering', n, firstAnsweredAt, answeredAt: now }, effects: [syn(n)] }
}

/** One event of a server that waits for SYNACK, without limit: a client that is gone comes with a new SYN. */
export function answeringStep(state: Answering, event: Event): Step {
  const { now } = event
  if (event.type === 'close') return { state: { phase: 'ended' }, effects: [fin] }
  // The answer may have gone down with the link below. One surplus answer does a Go client no harm.
  if (event.type === 'wake') return answer(state.n, state.firstAnsweredAt, now)
  if (event.type !== 'packet') return { state, effects: [] }
  const packet = leniently(event.bytes)
  switch (packet?.type) {
    case 'syn': {
      const backlog = packet.n === state.n && now - state.answeredAt < BACKLOG_MS
      if (backlog || !isWindow(packet.n)) return { state, effects: [] }
      return answer(packet.n, state.firstAnsweredAt, now)
    }
    case 'synack':
      return opened(state, undefined, now)
    case 'data':
      return opened(state, packet, now)
    case 'fin':
      return { state: { phase: 'listening', finAt: now }, effects: [] }
    default:
      return { state, effects: [] }
  }
}

function opened(state: Answering, first: DataPacket | undefined, now: number): Step {
  const connection = createConnection('server', state.n, now, now - state.firstAnsweredAt)
  const effects: Effect[] = [{ type: 'opened' }]
  if (first) receivePacket(connection, first, now, effects)
  return { state: { phase: 'open', connection }, effects }
}
