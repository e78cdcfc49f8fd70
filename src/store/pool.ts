/**
 * Invoices made ahead. They are taken from memory; a taken one leaves the disk in the commit of the token that
 * is sold with it, before any client sees it. A crash in between brings it back unseen.
 */
import type { Database } from 'better-sqlite3'
import { toHex } from '../base/bytes.ts'
import type { PoolCount, PooledInvoice, PoolStore } from '../invoices/pool-store.ts'
import { all, sql } from './query.ts'
import { own } from './write.ts'
import type { Writer } from './writer.ts'

/** The pool of an open database. */
export class InvoicePool implements PoolStore {
  readonly #writer: Writer
  /** By node and price, the soonest to expire first. */
  readonly #ready = new Map<string, Map<bigint, PooledInvoice[]>>()
  /** Taken and not sold yet, by payment hash in hex. */
  readonly #taken = new Map<string, PooledInvoice>()

  constructor(database: Database, writer: Writer) {
    this.#writer = writer
    for (const row of all(database, sql.selectFrom('pooled_invoices').selectAll())) {
      this.#keep({
        node: row.node,
        amountMsat: row.amount_msat,
        paymentRequest: row.payment_request,
        paymentHash: row.payment_hash,
        expiresAtMs: Number(row.expires_ms),
      })
    }
  }

  async add(invoices: readonly PooledInvoice[]): Promise<void> {
    const writes = invoices.map(async (given) => {
      const { node, amountMsat, paymentRequest, expiresAtMs } = given
      const paymentHash = own(given.paymentHash)
      const invoice = { node, amountMsat, paymentRequest, paymentHash, expiresAtMs }
      if ((await this.#writer.ask({ name: 'pool', invoice })) > 0) this.#keep(invoice)
    })
    const outcomes = await Promise.allSettled(writes)
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  take(node: string, amountMsat: bigint, notBeforeExpiryMs: number): PooledInvoice | undefined {
    const ready = this.#ready.get(node)?.get(amountMsat) ?? []
    const at = ready.findIndex(({ expiresAtMs }) => expiresAtMs >= notBeforeExpiryMs)
    if (at < 0) return undefined
    const [invoice] = ready.splice(at, 1)
    if (invoice) this.#taken.set(toHex(invoice.paymentHash), invoice)
    return invoice
  }

  counts(): readonly PoolCount[] {
    const counts: PoolCount[] = []
    for (const [node, prices] of this.#ready) {
      for (const [amountMsat, { length: count }] of prices) {
        if (count > 0) counts.push({ node, amountMsat, count })
      }
    }
    return counts
  }

  drop(node: string, amountMsat: bigint): number {
    const count = this.#ready.get(node)?.get(amountMsat)?.length ?? 0
    this.#ready.get(node)?.delete(amountMsat)
    this.#writer.keep({ name: 'drop price', node, amountMsat })
    return count
  }

  pruneExpired(nowMs: number): void {
    for (const [node, prices] of this.#ready) {
      for (const [amountMsat, ready] of prices) {
        const left = ready.filter(({ expiresAtMs }) => expiresAtMs >= nowMs)
        if (left.length > 0) prices.set(amountMsat, left)
        else prices.delete(amountMsat)
      }
      if (prices.size === 0) this.#ready.delete(node)
    }
    for (const [hex, { expiresAtMs }] of this.#taken) {
      if (expiresAtMs < nowMs) this.#taken.delete(hex)
    }
    this.#writer.keep({ name: 'prune expired', nowMs })
  }

  /** Its token is on the disk: the invoice has left for good. */
  sold(paymentHash: Uint8Array): void {
    this.#taken.delete(toHex(paymentHash))
  }

  /** Its token could not be stored, so that nobody has seen the invoice. */
  giveBack(paymentHash: Uint8Array): void {
    const hex = toHex(paymentHash)
    const invoice = this.#taken.get(hex)
    if (!invoice) return
    this.#taken.delete(hex)
    this.#keep(invoice)
  }

  /** The node is gone, or its name another's; the rows are deleted by a write of the caller's. */
  forget(node: string): void {
    this.#ready.delete(node)
    for (const [hex, taken] of this.#taken) if (taken.node === node) this.#taken.delete(hex)
  }

  #keep(invoice: PooledInvoice): void {
    const prices = this.#ready.get(invoice.node) ?? new Map<bigint, PooledInvoice[]>()
    const ready = prices.get(invoice.amountMsat) ?? []
    const after = ready.findIndex(({ expiresAtMs }) => expiresAtMs > invoice.expiresAtMs)
    ready.splice(after < 0 ? ready.length : after, 0, invoice)
    prices.set(invoice.amountMsat, ready)
    this.#ready.set(invoice.node, prices)
  }
}
