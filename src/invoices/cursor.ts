/** How far the invoice stream of a node has been heard, and where to go on after a gap. */
import type { InvoiceEvent, InvoiceIndexes } from './node.ts'

/**
 * A node tells again, on request, what was made and settled after given indexes, but nothing for an index of
 * 0. So before the first settlement its index is of no use; what was settled in a gap is then found among
 * the invoices made since, and the add index has to stay before the first of ours. From the first settlement
 * on the settle index does everything, and the add index goes on with the stream.
 *
 * The first invoice that a node ever made cannot be found in this way, should it be settled in a gap.
 */
export class Cursor {
  #addIndex: bigint
  #settleIndex: bigint
  #stored: InvoiceIndexes
  /** An invoice of ours would not be found from what is stored. */
  #uncovered = false

  /** Goes on from what was stored. */
  constructor(stored: InvoiceIndexes) {
    this.#stored = stored
    this.#addIndex = stored.addIndex
    this.#settleIndex = stored.settleIndex
  }

  /** Where to subscribe from, and what to store. */
  get indexes(): InvoiceIndexes {
    return { addIndex: this.#addIndex, settleIndex: this.#settleIndex }
  }

  /** The indexes are stored as they are now. */
  saved(): void {
    this.#stored = this.indexes
    this.#uncovered = false
  }

  /** An invoice of ours was made. Returns whether the indexes are to be stored before it is given out. */
  made(addIndex: bigint): boolean {
    const before = addIndex - 1n
    if (before > 0n && this.#settleIndex === 0n && !precedes(this.#addIndex, before)) {
      this.#addIndex = before
    }
    const { addIndex: from, settleIndex } = this.#stored
    // What was heard since and is not stored yet is of no use after a crash.
    if (before > 0n && settleIndex === 0n && !precedes(from, before)) this.#uncovered = true
    return this.#uncovered
  }

  /** An event was dealt with. Returns whether the indexes are to be stored some time. */
  heard({ settled, addIndex, settleIndex }: InvoiceEvent): boolean {
    if (settled && settleIndex > this.#settleIndex) this.#settleIndex = settleIndex
    if (this.#settleIndex > 0n && addIndex > this.#addIndex) this.#addIndex = addIndex
    return settled
  }
}

/** Whether a stream from `addIndex` on tells of what comes after `before`. */
const precedes = (addIndex: bigint, before: bigint): boolean => addIndex > 0n && addIndex <= before
