/** Keeps a line up: connects, holds the connection while it lasts, and tries anew after a pause. */
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import { type BackoffBounds, backoffMs } from '../../mailbox/transport/backoff.ts'
import type { Line } from './line.ts'
import { pause } from './pause.ts'

/** A line that is being kept up. */
export interface Keeper {
  /** Drops the connection, or stops waiting for the next try, and connects at once. */
  renew(): void
  /** Ends the connection and the line. Idempotent; never rejects. */
  close(): Promise<void>
}

/** How a line is kept up. */
export interface Keeping {
  readonly line: Line
  readonly clock: Clock
  readonly retry: BackoffBounds
  /** Connects, calls `onReady`, and resolves to why it is over; never rejects. */
  readonly hold: (signal: AbortSignal, onReady: () => void) => Promise<PinholeError>
  /** Says that it is over. */
  readonly onLost: (reason: PinholeError) => void
}

/** Keeps `line` connected until it is closed. */
export function keepLine(keeping: Keeping): Keeper {
  const running = new Running(keeping)
  return { renew: () => running.renew(), close: () => running.close() }
}

class Running {
  readonly #keeping: Keeping
  readonly #ended: Promise<void>
  /** Of one connection and the wait after it. */
  #round = new AbortController()
  #closed = false

  constructor(keeping: Keeping) {
    this.#keeping = keeping
    this.#ended = this.#run()
  }

  renew(): void {
    this.#round.abort()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#round.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { line, clock, retry, hold, onLost } = this.#keeping
    for (let failures = 0; !this.#closed; failures++) {
      this.#round = new AbortController()
      const { signal } = this.#round
      const reason = await hold(signal, () => (failures = 0))
      if (this.#closed) break
      if (signal.aborted) {
        line.down(new PinholeError('ERR_SESSION_CLOSED', 'the connection is being made anew'))
        continue
      }
      onLost(reason)
      line.down(reason)
      await pause(backoffMs(failures, retry, Math.random), clock, signal)
    }
    line.end()
  }
}
