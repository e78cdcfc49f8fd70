/** A store in memory that commits late, fails when told to, and can crash: what was not committed is lost. */
import { toHex } from '../../src/base/bytes.ts'
import type { InvoiceIndexes } from '../../src/invoices/node.ts'
import type {
  PoolCount,
  PooledInvoice,
  PoolStore,
  SettleIndexStore,
  SettlementStore,
} from '../../src/invoices/pool-store.ts'

type Write = (disk: Disk) => void

/** What survives. */
export interface Disk {
  readonly pool: Map<string, PooledInvoice>
  readonly indexes: Map<string, InvoiceIndexes>
  /** Payment hashes of sales, and whether they are paid. */
  readonly sales: Map<string, boolean>
  /** Payment hashes that were counted as income although they had been. */
  readonly countedTwice: string[]
}

const emptyDisk = (): Disk => ({
  pool: new Map(),
  indexes: new Map(),
  sales: new Map(),
  countedTwice: [],
})

export class MemoryStore implements PoolStore, SettleIndexStore, SettlementStore {
  readonly disk: Disk
  readonly #memory: Disk
  readonly #queue: { readonly write: Write; readonly done: () => void }[] = []
  #crashed = false
  /** Commits by itself at the end of each turn. */
  autoCommit = true
  fails: Error | undefined

  constructor(disk: Disk = emptyDisk()) {
    this.disk = disk
    this.#memory = {
      pool: new Map(disk.pool),
      indexes: new Map(disk.indexes),
      sales: new Map(disk.sales),
      countedTwice: [],
    }
  }

  async add(invoices: readonly PooledInvoice[]): Promise<void> {
    this.#check()
    await this.#write(({ pool }) => {
      for (const invoice of invoices) pool.set(toHex(invoice.paymentHash), invoice)
    })
    for (const invoice of invoices) this.#memory.pool.set(toHex(invoice.paymentHash), invoice)
  }

  take(node: string, amountMsat: bigint, notBeforeExpiryMs: number): PooledInvoice | undefined {
    this.#check()
    const fit = [...this.#memory.pool.values()].filter(
      (kept) => kept.node === node && kept.amountMsat === amountMsat,
    )
    fit.sort((a, b) => a.expiresAtMs - b.expiresAtMs)
    const taken = fit.find(({ expiresAtMs }) => expiresAtMs >= notBeforeExpiryMs)
    if (!taken) return undefined
    const id = toHex(taken.paymentHash)
    this.#memory.pool.delete(id)
    void this.#write(({ pool }) => pool.delete(id))
    return taken
  }

  counts(): readonly PoolCount[] {
    this.#check()
    const counts = new Map<string, { node: string; amountMsat: bigint; count: number }>()
    for (const { node, amountMsat } of this.#memory.pool.values()) {
      const id = `${node} ${amountMsat}`
      const row = counts.get(id) ?? { node, amountMsat, count: 0 }
      row.count++
      counts.set(id, row)
    }
    return [...counts.values()]
  }

  drop(node: string, amountMsat: bigint): number {
    return this.#remove((kept) => kept.node === node && kept.amountMsat === amountMsat)
  }

  pruneExpired(nowMs: number): void {
    this.#check()
    this.#remove(({ expiresAtMs }) => expiresAtMs < nowMs)
  }

  load(node: string): InvoiceIndexes {
    return this.#memory.indexes.get(node) ?? { addIndex: 0n, settleIndex: 0n }
  }

  save(node: string, indexes: InvoiceIndexes): void {
    this.#check()
    this.#memory.indexes.set(node, indexes)
    void this.#write((disk) => disk.indexes.set(node, indexes))
  }

  settle(paymentHash: Uint8Array, _settledAtMs: number): boolean {
    this.#check()
    const id = toHex(paymentHash)
    if (this.#memory.sales.get(id) !== false) return false
    this.#memory.sales.set(id, true)
    void this.#write(({ sales, countedTwice }) => {
      if (sales.get(id) === true) countedTwice.push(id)
      sales.set(id, true)
    })
    return true
  }

  isSettled(paymentHash: Uint8Array): boolean {
    return this.#memory.sales.get(toHex(paymentHash)) === true
  }

  /** As `TokenStore.add`: resolves when the sale is on disk, with everything written before it. */
  async sell(paymentHash: Uint8Array): Promise<void> {
    this.#check()
    const id = toHex(paymentHash)
    this.#memory.sales.set(id, false)
    await this.#write(({ sales }) => sales.set(id, false))
  }

  /** Puts the first `count` of what was written and is not on disk there. */
  commit(count = Infinity): void {
    if (this.#crashed) return
    for (const { write, done } of this.#queue.splice(0, count)) {
      write(this.disk)
      done()
    }
  }

  /** The store after a crash. */
  reopened(): MemoryStore {
    this.#crashed = true
    const store = new MemoryStore(this.disk)
    store.autoCommit = this.autoCommit
    return store
  }

  #write(write: Write): Promise<void> {
    return new Promise((done) => {
      this.#queue.push({ write, done })
      if (this.autoCommit) queueMicrotask(() => this.commit())
    })
  }

  #remove(gone: (invoice: PooledInvoice) => boolean): number {
    let removed = 0
    for (const [id, invoice] of this.#memory.pool) {
      if (!gone(invoice)) continue
      this.#memory.pool.delete(id)
      void this.#write(({ pool }) => pool.delete(id))
      removed++
    }
    return removed
  }

  #check(): void {
    if (this.fails) throw this.fails
  }
}
