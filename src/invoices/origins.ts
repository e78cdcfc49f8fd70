/** Which node made which invoice, of the most recent ones. */
import { toHex } from '../base/bytes.ts'

/** Invoices remembered: about 6 MB. */
const MAX_ORIGINS = 32_768

/** Remembers where invoices came from, and so sees one that comes twice. */
export class Origins {
  readonly #nodes = new Map<string, string>()

  /** Remembers an invoice. Returns `false` for one that was seen before: it may be given out already. */
  add(paymentHash: Uint8Array, node: string): boolean {
    const id = toHex(paymentHash)
    if (this.#nodes.has(id)) return false
    this.#nodes.set(id, node)
    if (this.#nodes.size > MAX_ORIGINS) {
      const [oldest] = this.#nodes.keys()
      if (oldest !== undefined) this.#nodes.delete(oldest)
    }
    return true
  }

  /** Name of the node, `undefined` when it is not remembered. */
  of(paymentHash: Uint8Array): string | undefined {
    return this.#nodes.get(toHex(paymentHash))
  }
}
