/** The client end of Go-Back-N over a link (LNC §9). */
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import type { Link } from '../link.ts'
import { Driver } from './driver.ts'
import { CLOSE_MS, DrivenLink, type GbnLink } from './gbn-link.ts'
import { greet } from './handshake.ts'

export type { GbnLink } from './gbn-link.ts'

/** What both ends take. */
export interface GbnOptions {
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /**
   * Subscribes `changed` to the moments at which the link below is lost (false) and is back (true); the
   * returned function ends that. What got lost, the SYN included, is then sent again at once, and the time
   * without a link does not count as the client's silence.
   */
  readonly onLower?: ((changed: (isUp: boolean) => void) => () => void) | undefined
}

/** What a client takes. */
export interface ConnectGbnOptions extends GbnOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined
  /** How long to go on sending SYN. */
  readonly handshakeTimeoutMs?: number | undefined
}

/** Default of `handshakeTimeoutMs`. */
export const HANDSHAKE_TIMEOUT_MS = 30_000

/**
 * Opens a connection over `lower`, which belongs to it from now on and is closed with it, also when this
 * fails.
 * @throws `ERR_GBN_HANDSHAKE` when the peer does not answer in time or wants another window;
 * `ERR_LINK_CLOSED`, or the error of `lower`, when that ends; `signal`'s reason when aborted.
 */
export async function connectGbn(lower: Link, options: ConnectGbnOptions = {}): Promise<GbnLink> {
  const { clock = systemClock, log = silentLog, signal } = options
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options
  const client = new Client(lower, clock, log, handshakeTimeoutMs)
  const unsubscribe = options.onLower?.((isUp) => client.link.lowerChanged(isUp))
  void client.link.closed.then(unsubscribe)
  const abort = () => client.abort(signal?.reason)
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    await client.opened
    return client.link
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** One connection attempt and the link it becomes. */
class Client {
  readonly opened: Promise<void>
  readonly link: DrivenLink
  readonly #driver: Driver
  readonly #log: Log
  #resolve: () => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  constructor(lower: Link, clock: Clock, log: Log, timeoutMs: number) {
    this.#log = log
    this.opened = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#driver = new Driver(
      lower,
      clock,
      {
        opened: () => this.#resolve(),
        delivered: (message) => this.link.delivered(message),
        ended: (error) => this.#ended(error),
        lost: (error) => this.#ended(error),
        settled: () => this.link.settled(),
      },
      (now) => greet(now, timeoutMs),
    )
    this.link = new DrivenLink(this.#driver, clock, () => this.#driver.stop())
  }

  /** Gives the attempt up. The reason is the caller's own. */
  abort(reason: unknown): void {
    this.#reject(reason)
    this.#ended(
      new PinholeError('ERR_GBN_HANDSHAKE', 'the attempt was given up', { cause: reason }),
    )
  }

  #ended(error: PinholeError | undefined): void {
    if (error) this.#log.debug({ code: error.code, reason: error.message }, 'gbn ended')
    this.#reject(error)
    this.link.ended(error)
    // `close` lets go of the link below itself, once its FIN is out.
    if (!this.link.isClosing) void this.#letGo()
  }

  async #letGo(): Promise<void> {
    await this.#driver.flushed(CLOSE_MS)
    try {
      await this.#driver.stop()
    } catch (reason) {
      this.#log.debug({ reason }, 'the link below did not close')
    }
  }
}
