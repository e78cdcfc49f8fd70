/**
 * How much a gRPC sender may have on its way before the relay has room for it: HTTP/2's stream window.
 *
 * What a peer sends within its window lies in memory when its box is full, so all windows together must
 * stay within bounds; but a window of 64 kB moves no more than 1.3 MB/s at 50 ms. So every stream begins
 * with what the server gives it (64 kB), a connection on which bytes move gets more, up to 2 MiB for each
 * stream, and the more senders there are the less each gets (LNC §10.5, RFC 9113 §6.9).
 */
import type { Http2Session } from 'node:http2'

const SMALLEST_BYTES = 65_535
const LARGEST_BYTES = 2_097_152
/** Of the whole connection; Node gives back what it has read at once, so this bounds one round trip. */
const CONNECTION_BYTES = 4 * LARGEST_BYTES
/** A sender that has moved so much gets the larger window. */
export const RAISE_AFTER_BYTES = 4 * SMALLEST_BYTES

export class StreamWindows {
  readonly #budget: number
  /** Sessions that have moved enough, and the window that each was told last; 0 for none yet. */
  readonly #raised = new Map<Http2Session, number>()
  #senders = 0
  #bytes: number

  /** All windows together are to stay within `budget` bytes. */
  constructor(budget: number) {
    this.#budget = budget
    this.#bytes = windowFor(budget, 0)
  }

  /** A sender has come. */
  opened(): void {
    this.#count(1)
  }

  /** A sender has gone. */
  closed(): void {
    this.#count(-1)
  }

  /** A sender on `session` has moved `RAISE_AFTER_BYTES`. */
  raise(session: Http2Session | undefined): void {
    if (!session || session.destroyed || session.closed || this.#raised.has(session)) return
    this.#raised.set(session, 0)
    session.once('close', () => this.#raised.delete(session))
    session.on('localSettings', () => this.#tell(session))
    session.setLocalWindowSize(CONNECTION_BYTES)
    if (this.#bytes > SMALLEST_BYTES) this.#tell(session)
  }

  #count(change: 1 | -1): void {
    this.#senders += change
    const bytes = windowFor(this.#budget, this.#senders)
    if (bytes === this.#bytes) return
    this.#bytes = bytes
    for (const session of this.#raised.keys()) this.#tell(session)
  }

  /**
   * One change at a time: senders who come and go would make others' sessions fail, which Node ends when ten
   * SETTINGS are not acknowledged. What has changed meanwhile is told once the last one is.
   */
  #tell(session: Http2Session): void {
    if (session.destroyed || session.closed || session.pendingSettingsAck) return
    if (this.#raised.get(session) === this.#bytes) return
    this.#raised.set(session, this.#bytes)
    session.settings({ initialWindowSize: this.#bytes })
  }
}

/** In powers of two, so that few changes of the number of senders change it. */
function windowFor(budget: number, senders: number): number {
  const share = 2 ** Math.floor(Math.log2(budget / Math.max(1, senders)))
  return Math.max(SMALLEST_BYTES, Math.min(LARGEST_BYTES, share))
}
