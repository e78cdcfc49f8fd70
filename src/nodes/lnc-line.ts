/** A line to a paired node over LNC. The session heals itself; what ends a session for good is tried anew. */
import type { Clock } from '../base/clock.ts'
import { asPinholeError, PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ConnectOptions, PairedNode } from '../../mailbox/connect/connect.ts'
import { connect } from '../../mailbox/connect/node.ts'
import type { SessionState } from '../../mailbox/connect/state.ts'
import { type Keeper, keepLine } from './keeper.ts'
import type { Line } from './line.ts'

/** What a line over LNC is made of. */
export interface LncLineOptions {
  readonly line: Line
  /** Whom to reach, and the store of the pairing; asked for each session. @throws ERR_NODE_SECRET */
  readonly connecting: () => Promise<ConnectOptions>
  readonly clock: Clock
  readonly log: Log
}

/** After a session that is over for good: revoked, expired, or its keys could not be stored. */
const RETRY = { firstMs: 2_000, maxMs: 300_000 }

/**
 * A node's end acknowledges what comes as soon as it comes, so that a round trip of 300 ms and a slow lnd
 * behind it stay far below this.
 */
const SILENCE_MS = 2_000

/** Keeps `line` connected until it is closed. */
export function keepLncLine(options: LncLineOptions): Keeper {
  const { line, clock, log } = options
  return keepLine({
    line,
    clock,
    retry: RETRY,
    hold: (signal, onReady) => oneSession(options, signal, onReady),
    onLost: ({ code, message: reason }) =>
      log.warn({ code, reason }, 'the session with the node is over'),
  })
}

/** Holds one session until it is over; resolves to why. */
async function oneSession(
  { line, connecting, clock, log }: LncLineOptions,
  signal: AbortSignal,
  onReady: () => void,
): Promise<PinholeError> {
  let node: PairedNode | undefined
  const look = (state: SessionState) => {
    if (state.name === 'silent') line.silent(state.reason)
    else if (state.name !== 'ready') line.down(state.reason)
    else if (node) line.up(node)
  }
  try {
    node = await connect({
      ...(await connecting()),
      timeoutMs: Infinity,
      silenceMs: SILENCE_MS,
      signal,
      onState: look,
      clock,
      log,
    })
    onReady()
    look(node.state)
    return await untilClosed(node)
  } catch (reason) {
    const error = asPinholeError(reason, 'ERR_SESSION_STORE')
    if (error.code !== 'ERR_NODE_SECRET') return error
    const closed = new PinholeError(error.code, `${error.message}. ${error.advice}`, {
      cause: error,
    })
    // Nobody has to wait for what no network can mend.
    line.silent(closed)
    return closed
  } finally {
    await node?.close()
  }
}

function untilClosed(node: PairedNode): Promise<PinholeError> {
  return new Promise((resolve) => {
    const look = (state: SessionState) => {
      if (state.name !== 'closed') return
      resolve(state.reason ?? new PinholeError('ERR_SESSION_CLOSED', 'the session was closed'))
    }
    node.onState(look)
    look(node.state)
  })
}
