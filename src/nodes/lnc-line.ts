/** A line to a paired node over LNC. The session heals itself; what ends a session for good is tried anew. */
import type { Clock } from '../base/clock.ts'
import { asPinholeError, PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ConnectOptions, PairedNode } from '../../mailbox/connect/connect.ts'
import { connect } from '../../mailbox/connect/node.ts'
import type { SessionState } from '../../mailbox/connect/state.ts'
import { backoffMs } from '../../mailbox/transport/backoff.ts'
import type { Line } from './line.ts'
import { pause } from './pause.ts'

/** What a line over LNC is made of. */
export interface LncLineOptions {
  readonly line: Line
  /** Whom to reach, and the store of the pairing. */
  readonly connecting: ConnectOptions
  readonly clock: Clock
  readonly log: Log
}

/** A line that is being kept up. */
export interface Keeper {
  /** Ends the connection and the line. Idempotent; never rejects. */
  close(): Promise<void>
}

/** After a session that is over for good: revoked, expired, or its keys could not be stored. */
const RETRY = { firstMs: 2_000, maxMs: 300_000 }

/** Keeps `line` connected until it is closed. */
export function keepLncLine(options: LncLineOptions): Keeper {
  const stop = new AbortController()
  const running = run(options, stop.signal)
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}

async function run(options: LncLineOptions, signal: AbortSignal): Promise<void> {
  const { line, clock, log } = options
  for (let failures = 0; !signal.aborted; failures++) {
    const reason = await oneSession(options, signal, () => (failures = 0))
    if (signal.aborted) break
    log.warn({ code: reason.code, reason: reason.message }, 'the session with the node is over')
    line.down(reason)
    await pause(backoffMs(failures, RETRY, Math.random), clock, signal)
  }
  line.end()
}

/** Holds one session until it is over; resolves to why. */
async function oneSession(
  { line, connecting, clock, log }: LncLineOptions,
  signal: AbortSignal,
  onReady: () => void,
): Promise<PinholeError> {
  let node: PairedNode | undefined
  const look = (state: SessionState) => {
    if (state.name !== 'ready') line.down(state.reason)
    else if (node) line.up(node)
  }
  try {
    node = await connect({ ...connecting, timeoutMs: Infinity, signal, onState: look, clock, log })
    onReady()
    look(node.state)
    return await untilClosed(node)
  } catch (reason) {
    return asPinholeError(reason, 'ERR_SESSION_STORE')
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
