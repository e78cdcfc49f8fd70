/**
 * One cipher box: a bounded queue with one writer and one reader (LNC §10.3). Pure: no sockets, no time.
 *
 * A message handed to the reader stays here until it is confirmed as written out; when the reader leaves
 * before, the next one gets it. So nothing is lost, and what is in flight counts as held.
 */
import type { Account } from './accounts.ts'
import type { RelayLimits } from './limits.ts'
import type { PinholeError } from '../../src/base/errors.ts'

/** Who holds the reading end. */
export interface ReadingEnd {
  /** Whether a message put in now leaves in this turn of the event loop. */
  readonly idle: boolean
  /** Messages wait: take them with `next`. */
  wake(): void
  /** The box is gone. */
  ended(reason: PinholeError): void
}

/** Who holds the writing end. */
export interface WritingEnd {
  /** What it was told to wait for may have come. */
  resume(): void
  /** The box is gone. */
  ended(reason: PinholeError): void
  /** Somebody else wants this end: find out whether the peer still lives. */
  probe(): void
}

interface Held {
  readonly message: Uint8Array
  readonly account: Account
  /** Bytes that were taken from the allowances for it. */
  readonly charge: number
}

/** Gives back what a message that has left was charged. */
export type GiveBack = (account: Account, charge: number) => void

export class Box {
  /** 64 bytes of id, one character each. */
  readonly key: string
  /** Who made it. */
  readonly owner: Account
  reader: ReadingEnd | undefined
  writer: WritingEnd | undefined
  /** Bytes of all messages held. */
  bytes = 0
  readonly #held: Held[] = []
  #handed = 0
  #writerWaits = false

  constructor(key: string, owner: Account) {
    this.key = key
    this.owner = owner
  }

  /** Whether a message of `bytes` may be put in now; if not, the writer is resumed when it may. */
  hasRoom(bytes: number, limits: RelayLimits): boolean {
    const held = this.#held.length
    const most = this.reader ? limits.maxBoxMessages : limits.maxUnreadMessages
    const room = held < most && (held === 0 || this.bytes + bytes <= limits.maxBoxBytes)
    this.#writerWaits = !room
    return room
  }

  /** Puts a message at the end of the queue. */
  put(message: Uint8Array, account: Account, charge: number): void {
    this.#held.push({ message, account, charge })
    this.bytes += message.length
    this.reader?.wake()
  }

  /** Hands the next message to the reader, or `undefined` when none is left. */
  next(): Uint8Array | undefined {
    const held = this.#held[this.#handed]
    if (held) this.#handed++
    return held?.message
  }

  /** The first `count` messages that were handed out have been written: they are gone. */
  confirm(count: number, giveBack: GiveBack): void {
    const gone = this.#held.splice(0, Math.min(count, this.#handed))
    this.#handed -= gone.length
    for (const held of gone) {
      this.bytes -= held.message.length
      giveBack(held.account, held.charge)
    }
    this.#wakeWriter()
  }

  /** Gives the reading end to `reader`. */
  attachReader(reader: ReadingEnd): void {
    this.reader = reader
    // It may wait for room here, or for bytes, of which there are more for a box that is read.
    this.writer?.resume()
    if (this.#held.length > 0) reader.wake()
  }

  /** The reader has left: what it did not get written out is there for the next one. */
  detachReader(): void {
    this.reader = undefined
    this.#handed = 0
  }

  /** Drops everything. */
  clear(giveBack: GiveBack): void {
    this.#handed = this.#held.length
    this.#writerWaits = false
    this.confirm(this.#held.length, giveBack)
  }

  #wakeWriter(): void {
    if (!this.#writerWaits) return
    this.#writerWaits = false
    this.writer?.resume()
  }
}
