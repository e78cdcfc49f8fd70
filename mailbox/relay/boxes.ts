/** The table of boxes: create, delete, claim an end, remove what is idle, count what is held (LNC §10.3). */
import type { Clock } from '../../src/base/clock.ts'
import type { PinholeError } from '../../src/base/errors.ts'
import { STREAM_ID_BYTES } from '../hashmail/names.ts'
import type { Account, Accounts } from './accounts.ts'
import { Allowance } from './allowance.ts'
import { Box, type ReadingEnd, type WritingEnd } from './box.ts'
import { CLAIM_WAIT_MS, largestCharge, type RelayLimits } from './limits.ts'
import { MessageRate } from './rate.ts'
import { overLimit, Refusal } from './refusals.ts'

type Side = 'read' | 'write'

/** Hears whether the end was got. Called once, maybe before `claim` returns. */
export type Claimed = (outcome: Box | PinholeError) => void

interface Claim {
  readonly attach: (box: Box) => void
  readonly refuse: (reason: PinholeError) => void
  cancelTimer: () => void
}

/** What the table keeps beside a box. */
interface Entry {
  readonly box: Box
  readonly rate: MessageRate | undefined
  readonly waiting: { read: Claim[]; write: Claim[] }
  cancelStale: () => void
}

export class Boxes {
  readonly limits: RelayLimits
  /** Message bytes held in all. */
  readonly bytes: Allowance
  readonly #clock: Clock
  readonly #accounts: Accounts
  readonly #entries = new Map<string, Entry>()

  constructor(limits: RelayLimits, accounts: Accounts, clock: Clock) {
    this.limits = limits
    this.bytes = new Allowance(limits.maxBufferedBytes, largestCharge(limits))
    this.#accounts = accounts
    this.#clock = clock
  }

  /** How many boxes there are. */
  get size(): number {
    return this.#entries.size
  }

  /** Makes a box on `account`; returns why not. */
  create(id: Uint8Array, account: Account): PinholeError | undefined {
    const key = boxKey(id)
    const { maxBoxes, maxBoxesPerAddress, messageRateMs, messageBurst } = this.limits
    if (this.#entries.has(key)) return Refusal.boxExists
    if (this.#entries.size >= maxBoxes) return overLimit('too many boxes', 'maxboxes', maxBoxes)
    if (account.boxes >= maxBoxesPerAddress) {
      const what = 'too many boxes from one address'
      return overLimit(what, 'maxboxesperaddress', maxBoxesPerAddress)
    }
    account.boxes++
    const now = this.#clock.now()
    const entry: Entry = {
      box: new Box(key, account),
      rate: messageRateMs > 0 ? new MessageRate(messageRateMs, messageBurst, now) : undefined,
      waiting: { read: [], write: [] },
      cancelStale: () => {},
    }
    this.#entries.set(key, entry)
    this.#armStale(entry)
    return undefined
  }

  /** Removes a box with all that is in it; returns why not. */
  delete(id: Uint8Array): PinholeError | undefined {
    const entry = this.#entries.get(boxKey(id))
    if (!entry) return Refusal.notFound
    this.#tearDown(entry)
    return undefined
  }

  /** Removes every box. */
  clear(): void {
    for (const entry of [...this.#entries.values()]) this.#tearDown(entry)
  }

  /**
   * Asks for the reading end of a box. When somebody holds it, waits up to `CLAIM_WAIT_MS` for that end, first
   * come first served. The returned function withdraws the claim.
   */
  claimRead(id: Uint8Array, end: ReadingEnd, done: Claimed): () => void {
    return this.#claim('read', id, done, (box) => {
      done(box) // first, so that the end knows its box when it is woken
      box.attachReader(end)
    })
  }

  /** The same for the writing end. */
  claimWrite(id: Uint8Array, end: WritingEnd, done: Claimed): () => void {
    return this.#claim('write', id, done, (box) => {
      box.writer = end
      done(box)
    })
  }

  #claim(
    side: Side,
    id: Uint8Array,
    refuse: (reason: PinholeError) => void,
    attach: (box: Box) => void,
  ): () => void {
    const entry = this.#entries.get(boxKey(id))
    if (!entry) {
      refuse(Refusal.notFound)
      return () => {}
    }
    const claim: Claim = { attach, refuse, cancelTimer: () => {} }
    const { box } = entry
    if (side === 'read' ? !box.reader : !box.writer) {
      this.#attach(entry, claim)
      return () => {}
    }
    if (side === 'write') box.writer?.probe()
    const queue = entry.waiting[side]
    claim.cancelTimer = this.#clock.after(CLAIM_WAIT_MS, () => {
      remove(queue, claim)
      refuse(side === 'read' ? Refusal.readOccupied : Refusal.writeOccupied)
    })
    queue.push(claim)
    return () => {
      claim.cancelTimer()
      remove(queue, claim)
    }
  }

  /** Frees an end; who waits for it gets it. Does nothing when `end` does not hold it. */
  release(box: Box, end: ReadingEnd | WritingEnd): void {
    const entry = this.#entries.get(box.key)
    if (entry?.box !== box) return
    if (box.reader === end) {
      box.detachReader()
      this.#handOver(entry, 'read')
    } else if (box.writer === end) {
      box.writer = undefined
      this.#handOver(entry, 'write')
    }
    if (!box.reader && !box.writer) this.#armStale(entry)
  }

  /** Milliseconds that the next message of `box` has to wait by its rate; takes a token when that is 0. */
  rateDelay(box: Box): number {
    return this.#entries.get(box.key)?.rate?.take(this.#clock.now()) ?? 0
  }

  /** Runs `action` after `delayMs`, on the relay's clock. */
  after(delayMs: number, action: () => void): () => void {
    return this.#clock.after(delayMs, action)
  }

  /**
   * Takes `bytes` from the allowances of all and of `account`; when that fails, `waiter` is queued. `read`
   * says whether they are for a box that somebody reads.
   */
  reserve(account: Account, bytes: number, read: boolean, waiter: WritingEnd): boolean {
    for (const allowance of [this.bytes, account.bytes]) {
      if (allowance.fits(bytes, read)) continue
      allowance.wait(waiter, bytes, read)
      return false
    }
    this.bytes.take(bytes)
    account.bytes.take(bytes)
    return true
  }

  /** Gives back what `reserve` took. */
  readonly giveBack = (account: Account, bytes: number): void => {
    account.bytes.give(bytes)
    this.bytes.give(bytes)
    this.#accounts.settle(account)
  }

  /** `waiter` waits for bytes no longer. */
  forget(account: Account, waiter: WritingEnd): void {
    account.bytes.forget(waiter)
    this.bytes.forget(waiter)
  }

  /** Whether somebody reads the box with this id. */
  isRead(id: Uint8Array): boolean {
    return this.#entries.get(boxKey(id))?.box.reader !== undefined
  }

  #attach(entry: Entry, claim: Claim): void {
    entry.cancelStale()
    claim.attach(entry.box)
  }

  #handOver(entry: Entry, side: Side): void {
    const claim = entry.waiting[side].shift()
    if (!claim) return
    claim.cancelTimer()
    this.#attach(entry, claim)
  }

  #armStale(entry: Entry): void {
    entry.cancelStale()
    const { staleTimeoutMs } = this.limits
    if (staleTimeoutMs < 0) return
    entry.cancelStale = this.#clock.after(staleTimeoutMs, () => this.#tearDown(entry))
  }

  #tearDown({ box, waiting, cancelStale }: Entry): void {
    this.#entries.delete(box.key)
    cancelStale()
    const { reader, writer } = box
    box.reader = undefined
    box.writer = undefined
    box.clear(this.giveBack)
    reader?.ended(Refusal.readerEnd)
    writer?.ended(Refusal.writerEnd)
    for (const claim of [...waiting.read, ...waiting.write]) {
      claim.cancelTimer()
      claim.refuse(Refusal.shuttingDown)
    }
    box.owner.boxes--
    this.#accounts.settle(box.owner)
  }
}

function remove(queue: Claim[], claim: Claim): void {
  const at = queue.indexOf(claim)
  if (at >= 0) queue.splice(at, 1)
}

/** The id as the table knows it: its first 64 bytes, padded with zeros, one character each. */
export function boxKey(id: Uint8Array): string {
  const view = Buffer.from(id.buffer, id.byteOffset, Math.min(id.length, STREAM_ID_BYTES))
  return view.toString('latin1').padEnd(STREAM_ID_BYTES, '\0')
}
