/** Keeps a line up: connects, holds the connection while it lasts, and tries anew after a pause. */
import type { Clock } from '../base/clock.ts'
import type { PinholeError } from '../base/errors.ts'
import { type BackoffBounds, backoffMs } from '../../mailbox/transport/backoff.ts'
import type { Line } from './line.ts'
import { pause } from './pause.ts'

/** A line that is being kept up. */
export interface Keeper {
  /** Ends the connection and the line. Idempotent; never rejects. */
  close(): Promise<void>
}

/** How a line is kept up. */
export interface Keeping {
  readonly line: Line
  readonly clock: Clock
  readonly retry: BackoffBounds
  /** Connects, calls `onReady`, and resolves to why it is over; never rejects. */
  hold(signal: AbortSignal, onReady: () => void): Promise<PinholeError>
  /** Says that it is over. */
  onLost(reason: PinholeError): void
}

/** Keeps `line` connected until it is closed. */
export function keepLine(keeping: Keeping): Keeper {
  const stop = new AbortController()
  const running = run(keeping, stop.signal)
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}

async function run(keeping: Keeping, signal: AbortSignal): Promise<void> {
  const { line, clock, retry } = keeping
  for (let failures = 0; !signal.aborted; failures++) {
    const reason = await keeping.hold(signal, () => (failures = 0))
    if (signal.aborted) break
    keeping.onLost(reason)
    line.down(reason)
    await pause(backoffMs(failures, retry, Math.random), clock, signal)
  }
  line.end()
}
