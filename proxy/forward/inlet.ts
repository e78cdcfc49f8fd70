/**
 * Memory that a connection to an upstream reads into (Node's `onread`). Small reads, nearly all there are, go
 * through one buffer that all connections share, and are copied out of it. A long body is read in large pieces
 * that are passed on as they are: each is lent, and read into again once nobody holds it. New memory for
 * each piece would cost more than all the rest that is done with it.
 */
import type { OnReadOpts } from 'node:net'

const SHARED_BYTES = 65_536
const LARGE_BYTES = 262_144
/** A shorter piece is copied, so that it does not keep a large buffer from its use. */
const MIN_LENT_BYTES = 16_384
/** Large buffers that are kept for the next long body. */
const MAX_FREE = 16

const shared = Buffer.allocUnsafeSlow(SHARED_BYTES)
const free: Loan[] = []

/** A large buffer whose pieces may be held after they were read. */
export class Loan {
  readonly buffer = Buffer.allocUnsafeSlow(LARGE_BYTES)
  #holders = 0

  /** Keeps the memory as it is until `release` was called once more. */
  hold(): void {
    this.#holders++
  }

  readonly release = (): void => {
    if (--this.#holders === 0) giveBack(this)
  }
}

/** Takes what was read; a piece with a loan is the caller's memory unless it is held. */
export type Receive = (piece: Buffer, loan: Loan | undefined) => void

/** What one connection reads by. */
export class Inlet {
  /** Nobody is told anything before there is somebody. */
  receive: Receive | undefined
  /** Where the next piece of a long body goes. */
  #loan: Loan | undefined

  /** For `net.connect`. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#loan?.buffer ?? shared,
    callback: (bytes) => {
      this.#read(bytes)
      return this.receive !== undefined
    },
  }

  #read(bytes: number): void {
    const loan = this.#loan
    this.#loan = undefined
    if (loan && bytes >= MIN_LENT_BYTES) {
      loan.hold()
      this.receive?.(loan.buffer.subarray(0, bytes), loan)
      loan.release()
      this.#loan = take()
      return
    }
    this.receive?.(Buffer.from((loan?.buffer ?? shared).subarray(0, bytes)), undefined)
    if (loan) giveBack(loan)
    else if (bytes === SHARED_BYTES) this.#loan = take()
  }
}

const take = (): Loan => free.pop() ?? new Loan()

function giveBack(loan: Loan): void {
  if (free.length < MAX_FREE) free.push(loan)
}
