/** The server end of Go-Back-N: one client after another over the same link (LNC §9, §11.1). */
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import type { Link } from '../link.ts'
import { Driver } from './driver.ts'
import { CLOSE_MS, DrivenLink, type GbnLink } from './gbn-link.ts'
import { listen } from './handshake.ts'
import type { GbnOptions } from './link.ts'

/** Waits for clients. There is one connection at a time; what an earlier one left behind is ignored. */
export interface GbnListener {
  /**
   * The next connection. One that a client opened before the call counts, as long as it lasts; a client
   * that starts over ends its earlier connection with `ERR_LINK_CLOSED`. One call at a time.
   * @throws `ERR_LINK_CLOSED` once the listener is closed, or the error with which the link below
   * ended; `signal`'s reason when aborted.
   */
  accept(signal?: AbortSignal): Promise<GbnLink>
  /** The link below was lost, or is back: as `GbnLink.lowerChanged`, for whatever connection there is. */
  lowerChanged(isUp: boolean): void
  /** Closes the connection, if there is one, and the link below. Idempotent. */
  close(): Promise<void>
}

/** Listens on `lower`, which belongs to the listener from now on. Its links leave `lower` open when they close. */
export function listenGbn(lower: Link, options: GbnOptions = {}): GbnListener {
  const { clock = systemClock, log = silentLog } = options
  const server = new Server(lower, clock, log)
  const unsubscribe = options.onLower?.((isUp) => server.lowerChanged(isUp))
  void server.closed.then(unsubscribe)
  return server
}

interface Acceptor {
  readonly taken: (link: GbnLink) => void
  readonly failed: (reason: unknown) => void
}

class Server implements GbnListener {
  /** Resolves when the listener is over. */
  readonly closed: Promise<void>
  readonly #driver: Driver
  readonly #clock: Clock
  readonly #log: Log
  #resolveClosed: () => void = () => {}
  /** The connection that lasts, and whether somebody has accepted it. */
  #current: { readonly link: DrivenLink; accepted: boolean } | undefined
  #acceptor: Acceptor | undefined
  #over: PinholeError | undefined
  #closing: Promise<void> | undefined

  constructor(lower: Link, clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    this.#driver = new Driver(
      lower,
      clock,
      {
        opened: () => this.#opened(),
        delivered: (message) => this.#current?.link.delivered(message),
        ended: (error) => this.#ended(error),
        lost: (error) => this.#lost(error),
        settled: () => this.#current?.link.settled(),
      },
      () => ({ state: listen(), effects: [] }),
    )
  }

  async accept(signal?: AbortSignal): Promise<GbnLink> {
    if (this.#over) throw this.#over
    signal?.throwIfAborted()
    if (this.#acceptor) throw new TypeError('accept is waiting already')
    const current = this.#current
    if (current && !current.accepted) {
      current.accepted = true
      return current.link
    }
    const abort = () => this.#acceptor?.failed(signal?.reason)
    try {
      return await new Promise<GbnLink>((taken, failed) => {
        this.#acceptor = { taken, failed }
        signal?.addEventListener('abort', abort)
      })
    } finally {
      this.#acceptor = undefined
      signal?.removeEventListener('abort', abort)
    }
  }

  lowerChanged(isUp: boolean): void {
    this.#driver.on({ type: isUp ? 'wake' : 'sleep' })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#refuse(new PinholeError('ERR_LINK_CLOSED', 'the listener is closed'))
    await this.#current?.link.close()
    // A client between SYN and SYNACK is told as well.
    this.#driver.on({ type: 'close' })
    await this.#driver.flushed(CLOSE_MS)
    try {
      await this.#driver.stop()
    } catch (reason) {
      this.#log.debug({ reason }, 'the link below did not close')
    }
    this.#resolveClosed()
  }

  #opened(): void {
    const link = new DrivenLink(this.#driver, this.#clock, () => Promise.resolve())
    const acceptor = this.#acceptor
    this.#acceptor = undefined
    this.#current = { link, accepted: acceptor !== undefined }
    this.#log.debug({}, 'gbn connection opened')
    acceptor?.taken(link)
  }

  #ended(error: PinholeError | undefined): void {
    const ended = this.#current
    this.#current = undefined
    this.#log.debug(error ? { code: error.code, reason: error.message } : {}, 'gbn ended')
    ended?.link.ended(error)
  }

  #lost(error: PinholeError): void {
    this.#refuse(error)
    this.#current?.link.ended(error)
    this.#current = undefined
    void this.close()
  }

  #refuse(error: PinholeError): void {
    this.#over ??= error
    this.#acceptor?.failed(this.#over)
  }
}
