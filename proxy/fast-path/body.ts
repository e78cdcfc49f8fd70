import { Readable } from 'node:stream'

/** A request's body of known length, as it comes in. Nothing is read ahead of whoever takes it. */
export class PlainBody extends Readable {
  readonly #onWanted: (body: PlainBody) => void
  #left: number

  /** `length` is in bytes; `onWanted` hears when more can be taken in. */
  constructor(length: number, onWanted: (body: PlainBody) => void) {
    super()
    this.#left = length
    this.#onWanted = onWanted
  }

  /** What is still to come in. */
  get leftBytes(): number {
    return this.#left
  }

  /** Whether all of it has come in. */
  get isWhole(): boolean {
    return this.#left === 0
  }

  /** Takes in what of `chunk` is the body's, and says how much that is. False of `isWanted` asks to wait. */
  takeIn(chunk: Buffer): { readonly taken: number; readonly isWanted: boolean } {
    const taken = Math.min(chunk.length, this.#left)
    this.#left -= taken
    const isWanted =
      taken === 0 || this.push(taken < chunk.length ? chunk.subarray(0, taken) : chunk)
    if (this.#left === 0) this.push(null)
    return { taken, isWanted }
  }

  override _read(): void {
    this.#onWanted(this)
  }
}
