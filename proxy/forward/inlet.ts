/**
 * Memory that a connection reads into (Node's `onread`). Small reads, nearly all there are, go through one
 * buffer that all connections share, and are copied out of it. A long body is read into large buffers whose
 * pieces are passed on as they are: each buffer is lent, and read into again once nobody holds a piece of it. New
 * memory for each piece would cost more than all the rest that is done with it.
 */
import type { OnReadOpts } from 'node:net'

const SHARED_BYTES = 65_536
const LARGE_BYTES = 262_144
/** A shorter piece is copied, so that it does not keep a large buffer from its use. */
const MIN_LENT_BYTES = 8_192
/** A large buffer with less room is full. */
const MIN_ROOM_BYTES = SHARED_BYTES
/** Large buffers that are kept for the next long body. */
const MAX_FREE = 16
/** Large buffers that there may be; further bodies are read by way of the shared one. */
const MAX_LOANS = 256

const shared = Buffer.allocUnsafeSlow(SHARED_BYTES)
const free: Loan[] = []
const lent = new WeakMap<Buffer, Loan>()
let loans = 0
// What was held by somebody who is gone is not given back.
const forgotten = new FinalizationRegistry(() => loans--)

/** A large buffer whose pieces may be held after they were read. */
export class Loan {
  readonly #memory = Buffer.allocUnsafeSlow(LARGE_BYTES)
  #holders = 0
  #filled = 0

  /** What may be read into. */
  get room(): Buffer {
    return this.#memory.subarray(this.#filled)
  }

  get isFull(): boolean {
    return LARGE_BYTES - this.#filled < MIN_ROOM_BYTES
  }

  /** What was read into its room. */
  take(bytes: number): Buffer {
    return this.#memory.subarray(this.#filled, (this.#filled += bytes))
  }

  /** Keeps the memory as it is until `release` was called once more. */
  hold(): void {
    this.#holders++
  }

  readonly release = (): void => {
    if (--this.#holders > 0) return
    this.#filled = 0
    if (free.length < MAX_FREE) free.push(this)
  }
}

/** Holds `piece` for whoever finds its loan by it. */
export function lend(piece: Buffer, loan: Loan): void {
  loan.hold()
  lent.set(piece, loan)
}

/** The loan that `lend` holds `piece` by. */
export const loanOf = (piece: Buffer): Loan | undefined => lent.get(piece)

/** Takes what was read; a piece with a loan is the caller's memory unless it is held. False asks to wait. */
export type Receive = (piece: Buffer, loan: Loan | undefined) => boolean

/** What one connection reads by. */
export class Inlet {
  /** Nobody is told anything before there is somebody. */
  receive: Receive | undefined
  /** Where the next piece of a long body goes. */
  #loan: Loan | undefined
  #isLong = false

  /** For `net.connect`. Node asks for a buffer at first, and after each call of `callback`. */
  readonly onread: OnReadOpts = {
    buffer: () => {
      if (this.#isLong && !this.#loan) {
        this.#loan = borrow()
        this.#loan?.hold()
      }
      return this.#loan?.room ?? shared
    },
    callback: (bytes) => this.#read(bytes),
  }

  /** More than a few reads are to come. */
  expectLong(): void {
    this.#isLong = true
  }

  #read(bytes: number): boolean {
    this.#isLong = this.#loan ? bytes >= MIN_LENT_BYTES : this.#isLong || bytes === SHARED_BYTES
    const loan = this.#loan
    const read = loan ? loan.take(bytes) : shared.subarray(0, bytes)
    const isLent = loan !== undefined && this.#isLong
    const isWanted = this.receive?.(isLent ? read : Buffer.from(read), isLent ? loan : undefined)
    if (loan && (loan.isFull || !isLent)) {
      this.#loan = undefined
      loan.release()
    }
    return isWanted === true
  }
}

function borrow(): Loan | undefined {
  const kept = free.pop()
  if (kept || loans >= MAX_LOANS) return kept
  loans++
  const made = new Loan()
  forgotten.register(made, undefined)
  return made
}
