/** What all faces share: the boxes, who has what open, time, counts. No sockets here. */
import { createHash } from 'node:crypto'
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { Accounts, type Account } from './accounts.ts'
import { Boxes } from './boxes.ts'
import { Flusher } from './flusher.ts'
import type { RelayLimits } from './limits.ts'
import { Meter, type Face } from './meter.ts'
import { Refusal } from './refusals.ts'
import { StreamWindows } from './windows.ts'

/** An open send or receive, to be ended when the relay closes. */
export interface LiveStream {
  readonly face: Face
  /** Ends it in order, telling the peer to come back. */
  drain(): void
}

export class Relay {
  readonly limits: RelayLimits
  readonly clock: Clock
  readonly log: Log
  readonly accounts: Accounts
  readonly boxes: Boxes
  readonly meter: Meter
  readonly flusher = new Flusher()
  readonly windows: StreamWindows
  readonly #live = new Map<LiveStream, Account>()
  #closing = false

  constructor(limits: RelayLimits, clock: Clock, log: Log) {
    this.limits = limits
    this.clock = clock
    this.log = log
    this.accounts = new Accounts(limits)
    this.boxes = new Boxes(limits, this.accounts, clock)
    this.windows = new StreamWindows(limits.maxBufferedBytes / 2)
    this.meter = new Meter(() => clock.now())
  }

  /** Open sends and receives. */
  get open(): number {
    return this.#live.size
  }

  /** Lets a stream in; returns the account it is on, or why not. `leave` must follow. */
  enter(stream: LiveStream, address: string): Account | PinholeError {
    if (this.#closing) return this.refused(Refusal.closing)
    const account = this.accounts.openStream(address)
    if (account instanceof PinholeError) return this.refused(account)
    this.#live.set(stream, account)
    this.meter.streams[stream.face]++
    return account
  }

  /** A stream is gone. */
  leave(stream: LiveStream): void {
    const account = this.#live.get(stream)
    if (!account) return
    this.#live.delete(stream)
    this.meter.streams[stream.face]--
    this.accounts.closeStream(account)
  }

  /** Creates a box for somebody at `address`; returns why not. */
  create(id: Uint8Array, address: string): PinholeError | undefined {
    if (this.#closing) return this.refused(Refusal.closing)
    const account = this.accounts.of(address)
    const reason = this.boxes.create(id, account)
    this.accounts.settle(account)
    if (reason) return this.refused(reason)
    this.log.debug({ box: boxName(id), boxes: this.boxes.size }, 'box created')
    return undefined
  }

  /** Deletes a box; returns why not. */
  delete(id: Uint8Array): PinholeError | undefined {
    const reason = this.boxes.delete(id)
    if (reason) return this.refused(reason)
    this.log.debug({ box: boxName(id), boxes: this.boxes.size }, 'box deleted')
    return undefined
  }

  /** Counts a refusal and passes it on. */
  refused(reason: PinholeError): PinholeError {
    this.meter.refused(reason)
    return reason
  }

  /** Ends every stream in order and drops the boxes; nothing is let in any more. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.log.info({ streams: this.#live.size, boxes: this.boxes.size }, 'relay closing')
    for (const stream of [...this.#live.keys()]) stream.drain()
    this.boxes.clear()
  }
}

/** A box in the log: who knows its id may read it, so only a hash is written. */
export const boxName = (id: Uint8Array): string =>
  createHash('sha256').update(id).digest('hex').slice(0, 8)
