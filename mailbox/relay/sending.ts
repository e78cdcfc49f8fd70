/**
 * Takes messages from a peer and puts them into a box, whatever the face: the size is checked and paid for
 * before the bytes are kept, and a writer whose box is full stops being read, alone.
 */
import { compact } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Account } from './accounts.ts'
import type { Box, WritingEnd } from './box.ts'
import { largestCharge } from './limits.ts'
import type { Relay } from './relay.ts'
import { Refusal, tooLarge } from './refusals.ts'

/** Where a face's messages come from. */
export interface MessageSource {
  /** Size of the next message as announced, or a bound on it; `undefined` until that is known. */
  size(): number | PinholeError | undefined
  /** The next message once it is all there. The first one names its box. */
  take(first: boolean): SentMessage | PinholeError | undefined
}

/** One message as it was sent. */
export interface SentMessage {
  readonly streamId: Uint8Array
  readonly msg: Uint8Array
}

/** What a face does for its writer. */
export interface SendingFace {
  /** Stop reading the peer. */
  pause(): void
  /** Read the peer again; what arrives is announced with `Sending.arrived`. */
  more(): void
  /** Tells the peer why it may send no more. */
  refuse(reason: PinholeError): void
  /** See `WritingEnd.probe`. */
  probe(): void
}

/** A first message of up to so many bytes is taken as one for a box that is read. */
const SMALL_BYTES = 65_536

type State = 'unclaimed' | 'claiming' | 'claimed' | 'over'

export class Sending implements WritingEnd {
  readonly #relay: Relay
  readonly #account: Account
  readonly #source: MessageSource
  readonly #face: SendingFace
  #state: State = 'unclaimed'
  #box: Box | undefined
  #withdraw: () => void = () => {}
  #reserved = 0
  #waits = false
  #message: SentMessage | undefined
  #cancelDeadline: (() => void) | undefined
  #paused = false
  #pumping = false
  #finished = false

  constructor(relay: Relay, account: Account, source: MessageSource, face: SendingFace) {
    this.#relay = relay
    this.#account = account
    this.#source = source
    this.#face = face
  }

  /** Whether a message has named a box. */
  get named(): boolean {
    return this.#state !== 'unclaimed'
  }

  /** Whether the writer waits for room. */
  get blocked(): boolean {
    return this.#paused
  }

  /** The source has more. */
  arrived(): void {
    this.#pump()
  }

  /** The peer says that nothing more comes: once all is in the box, it is told `EOF`. */
  finished(): void {
    this.#finished = true
    this.#pump()
  }

  resume(): void {
    this.#pump()
  }

  probe(): void {
    this.#face.probe()
  }

  ended(reason: PinholeError): void {
    if (this.#state === 'over') return
    this.close()
    this.#face.refuse(reason)
  }

  /** The peer has gone: the end is free at once, what was on its way is dropped. */
  close(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    const { boxes } = this.#relay
    this.#watch(false)
    this.#withdraw()
    boxes.forget(this.#account, this)
    this.#message = undefined
    if (this.#reserved > 0) boxes.giveBack(this.#account, this.#reserved)
    this.#reserved = 0
    if (this.#box) boxes.release(this.#box, this)
  }

  #pump(): void {
    // Claiming and putting call back at once when they can; the loop below sees what they did.
    if (this.#pumping) return
    this.#pumping = true
    let step: 'again' | 'wait' | 'more' = 'again'
    while (step === 'again') step = this.#step()
    this.#pumping = false
    if (this.#state === 'over') return
    this.#watch(step === 'more' && this.#reserved > 0)
    if (step === 'wait') this.#pause()
    else if (this.#finished) this.ended(Refusal.halfClosed)
    else this.#read()
  }

  /** Moves one message on by one stage: pay, take, claim, put. */
  #step(): 'again' | 'wait' | 'more' {
    if (this.#state === 'over') return 'wait'
    if (!this.#message) {
      const size = this.#source.size()
      if (size === undefined) return 'more'
      if (size instanceof PinholeError) return this.#fail(size)
      if (!this.#pay(size)) return 'wait'
      const message = this.#source.take(this.#state === 'unclaimed')
      if (message === undefined) return 'more'
      if (message instanceof PinholeError) return this.#fail(message)
      this.#message = message
    }
    if (this.#state === 'unclaimed') this.#claim(this.#message.streamId)
    return this.#state === 'claimed' && this.#put(this.#message) ? 'again' : 'wait'
  }

  #pay(size: number): boolean {
    if (this.#reserved > 0) return true
    const { boxes } = this.#relay
    // One byte at least, so that an empty message is not taken for one not paid for. A text in base64 is
    // longer than what it holds, and that for a moment only: it does not count for more.
    const charge = Math.min(Math.max(1, size), largestCharge(boxes.limits))
    // Which box a first message is for is not known yet; a small one must not wait behind unread ones.
    const read = this.#box ? this.#box.reader !== undefined : size <= SMALL_BYTES
    if (this.#waits) boxes.forget(this.#account, this)
    this.#waits = !boxes.reserve(this.#account, charge, read, this)
    if (this.#waits) return false
    this.#reserved = charge
    return true
  }

  #claim(streamId: Uint8Array): void {
    this.#state = 'claiming'
    this.#withdraw = this.#relay.boxes.claimWrite(streamId, this, (outcome) => {
      if (this.#state === 'over') return
      if (outcome instanceof PinholeError) return this.ended(outcome)
      this.#box = outcome
      this.#state = 'claimed'
      this.#pump()
    })
  }

  #put({ msg }: SentMessage): boolean {
    const { boxes } = this.#relay
    const box = this.#box
    if (!box) return false
    const max = boxes.limits.maxMessageBytes
    if (msg.length > max) {
      this.ended(tooLarge(msg.length, max))
      return false
    }
    if (!box.hasRoom(msg.length, boxes.limits)) return false
    const delayMs = boxes.rateDelay(box)
    if (delayMs > 0) {
      this.#withdraw()
      this.#withdraw = boxes.after(delayMs, () => this.#pump())
      return false
    }
    // A view keeps the whole read alive it was cut from: copied unless it is most of that, and leaves at once.
    const kept = box.reader?.idle === true ? compact(msg) : new Uint8Array(msg)
    // What was paid for a text or an envelope beyond the message itself comes back.
    const charge = Math.min(this.#reserved, Math.max(1, msg.length))
    const rest = this.#reserved - charge
    this.#message = undefined
    this.#reserved = 0
    box.put(kept, this.#account, charge)
    if (rest > 0) boxes.giveBack(this.#account, rest)
    return true
  }

  /**
   * Allows `messageTimeoutMs` for a message that has begun. The first one may be long in coming: a node that waits for its
   * client has nothing to say until that one comes, and would be cut off every minute.
   */
  #watch(expecting: boolean): void {
    if (!expecting) {
      this.#cancelDeadline?.()
      this.#cancelDeadline = undefined
      return
    }
    const { boxes } = this.#relay
    this.#cancelDeadline ??= boxes.after(boxes.limits.messageTimeoutMs, () => {
      this.ended(Refusal.tooSlow)
    })
  }

  #fail(reason: PinholeError): 'wait' {
    this.ended(reason)
    return 'wait'
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#face.pause()
  }

  #read(): void {
    this.#paused = false
    this.#face.more()
  }
}
