/**
 * Runs the pool's core (`pool-step.ts`): takes and keeps invoices in the store, has nodes make them, and
 * lets requests wait.
 */
import type { Invoice } from '../../proxy/invoice-backend.ts'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { makeInvoice, type Made } from './make.ts'
import type { Failure, Meter, Supply } from './meter.ts'
import { canBeAsked, type InvoiceNode, type NodeSource } from './node.ts'
import type { InvoiceOptions } from './options.ts'
import type { Origins } from './origins.ts'
import type { PoolEffect, PoolEvent, PriceKey } from './pool-events.ts'
import { emptyPool, type PoolState, targetOf } from './pool-state.ts'
import { retryAt, step } from './pool-step.ts'
import type { PooledInvoice, PoolStore } from './pool-store.ts'
import { Setbacks } from './setbacks.ts'

/** When to come back, in milliseconds: a node that is away needs longer than one that is busy. */
const RETRY_AFTER_MS = { away: 5_000, busy: 1_000, failed: 2_000, timeout: 5_000 } as const

const WORDS = {
  away: 'cannot be reached',
  busy: 'has more invoices to make than it can',
  failed: 'has not made an invoice',
  timeout: 'has not made an invoice in time',
} as const

/** What a pool needs. */
export interface PoolParts {
  readonly nodes: NodeSource
  readonly store: PoolStore
  readonly options: InvoiceOptions
  readonly origins: Origins
  readonly meter: Meter
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** Told of every invoice that a node has made, before anyone gets it. When it throws, nobody gets it. */
  readonly onMade: (node: InvoiceNode, addIndex: bigint) => void
}

interface Pending extends PriceKey {
  readonly askedAt: number
  readonly resolve: (invoice: Invoice) => void
  readonly reject: (reason: PinholeError) => void
  cancelTimer: () => void
}

/** What is made ahead of one price. */
export interface PooledPrice extends PriceKey {
  readonly ready: number
  /** How many should be. */
  readonly target: number
}

/** Gives out invoices, each once. */
export class InvoicePool {
  readonly #parts: PoolParts
  readonly #state: PoolState
  readonly #pending = new Map<number, Pending>()
  /** Made, and about to be given or kept, by call. */
  readonly #made = new Map<number, PooledInvoice>()
  readonly #setbacks = new Map<string, Setbacks>()
  readonly #storeSetbacks: Setbacks
  readonly #timers = new Map<string, { readonly at: number; readonly cancel: () => void }>()
  readonly #keeping = new Set<Promise<void>>()
  #nextId = 1
  #closed = false

  constructor(parts: PoolParts) {
    this.#parts = parts
    this.#storeSetbacks = new Setbacks(parts.random)
    const { enabled, perprice, total } = parts.options.pool
    this.#state = emptyPool({ enabled, perPrice: perprice, total })
  }

  /** An invoice of `node`. Rejects with `ERR_INVOICE_UNAVAILABLE`. */
  invoice(node: InvoiceNode, amountMsat: bigint): Promise<Invoice> {
    if (this.#closed) return Promise.reject(closing())
    const { clock, options } = this.#parts
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const key = { node: node.name, amountMsat }
      const askedAt = clock.now()
      const pending: Pending = { ...key, askedAt, resolve, reject, cancelTimer: () => {} }
      this.#pending.set(id, pending)
      this.#run({ type: 'ask', id, ...key, up: canBeAsked(node), now: askedAt })
      if (!this.#pending.has(id)) return
      pending.cancelTimer = clock.after(options.timeout, () => {
        this.#run({ type: 'left', id, ...key, now: clock.now() })
        this.#refuse(id, 'timeout')
      })
    })
  }

  /** Invoices that are ready, by node. */
  ready(): ReadonlyMap<string, number> {
    const ready = new Map<string, number>()
    for (const { node, ready: count } of this.#state.prices.values()) {
      ready.set(node, (ready.get(node) ?? 0) + count)
    }
    return ready
  }

  /** Prices of which something is ready or wanted. */
  prices(): readonly PooledPrice[] {
    const now = this.#parts.clock.now()
    return [...this.#state.prices.values()]
      .map((price) => {
        const { node, amountMsat, ready } = price
        return { node, amountMsat, ready, target: targetOf(this.#state, price, now) }
      })
      .filter(({ ready, target }) => ready > 0 || target > 0)
  }

  /** Tells that `node` can be asked, or may be by now. */
  reached(node: InvoiceNode): void {
    const up = canBeAsked(node)
    this.#run({ type: 'node', node: node.name, up, now: this.#parts.clock.now() })
  }

  /** Drops what has become too old and counts the rest. */
  recount(): void {
    const { store, options, clock, log } = this.#parts
    try {
      store.pruneExpired(clock.wall() + (options.pool.enabled ? options.pool.minlife : 0))
      this.#run({ type: 'counted', counts: store.counts(), now: clock.now() })
    } catch (error) {
      log.error({ error }, 'the stored invoices cannot be counted')
    }
  }

  /** Drops what is kept of the node: another has its name. */
  part(node: string): void {
    for (const price of [...this.#parts.store.counts()]) if (price.node === node) this.#drop(price)
    this.recount()
  }

  /** Refuses all that wait; resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { cancel } of this.#timers.values()) cancel()
    for (const pending of this.#pending.values()) {
      pending.cancelTimer()
      pending.reject(closing())
    }
    this.#pending.clear()
    await Promise.all(this.#keeping)
  }

  #run(event: PoolEvent): void {
    if (this.#closed) return
    for (const effect of step(this.#state, event)) this.#apply(effect)
    if ('node' in event) this.#arm(event.node)
  }

  #apply(effect: PoolEffect): void {
    switch (effect.type) {
      case 'take':
        this.#take(effect)
        break
      case 'make':
        void this.#make(effect)
        break
      case 'give':
        this.#give(effect.id, this.#taken(effect.call), 'demand')
        break
      case 'keep':
        this.#keep(effect, this.#taken(effect.call))
        break
      case 'discard':
        this.#made.delete(effect.call)
        break
      case 'drop':
        this.#drop(effect)
        break
      case 'refuse':
        this.#refuse(effect.id, effect.reason)
        break
    }
  }

  #take({ id, node, amountMsat }: PriceKey & { id: number }): void {
    const { store, clock, options, log } = this.#parts
    try {
      const invoice = store.take(node, amountMsat, clock.wall() + options.pool.minlife)
      if (invoice) {
        this.#give(id, invoice, 'pool')
        return
      }
    } catch (error) {
      this.#fault(node, 'store')
      log.error({ error, node }, 'no stored invoice can be taken')
    }
    const up = canBeAsked(this.#parts.nodes.get(node))
    this.#run({ type: 'missed', id, node, amountMsat, up, now: clock.now() })
  }

  #give(id: number, invoice: PooledInvoice | undefined, supply: Supply): void {
    const pending = this.#pending.get(id)
    if (!pending || !invoice) return
    const { meter, clock } = this.#parts
    this.#pending.delete(id)
    pending.cancelTimer()
    meter.of(invoice.node).given[supply]++
    if (supply === 'demand') meter.onWait(invoice.node, clock.now() - pending.askedAt)
    const { paymentRequest, paymentHash, amountMsat, expiresAtMs } = invoice
    pending.resolve({ paymentRequest, paymentHash, amountMsat, expiresAtMs })
  }

  #refuse(id: number, reason: keyof typeof WORDS): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    pending.cancelTimer()
    const { node } = pending
    this.#fault(node, reason)
    const cause = reason === 'failed' ? this.#setbacksOf(node).reason : undefined
    pending.reject(
      new PinholeError('ERR_INVOICE_UNAVAILABLE', `node ${node} ${WORDS[reason]}`, {
        cause,
        retryAfterMs: RETRY_AFTER_MS[reason],
      }),
    )
  }

  async #make({ call, node, amountMsat }: PriceKey & { call: number }): Promise<void> {
    const { clock, log } = this.#parts
    const startedAt = clock.now()
    // What a connection took to come about says nothing of the node.
    const measured = this.#parts.nodes.get(node)?.state === 'ready'
    let made: Made | undefined
    try {
      made = await makeInvoice({ node, amountMsat }, this.#parts)
      this.#parts.meter.of(node).made++
      this.#parts.onMade(made.by, made.addIndex)
      this.#setbacksOf(node).over()
      this.#made.set(call, made.invoice)
    } catch (reason) {
      this.#fault(node, made ? 'store' : 'node')
      const now = clock.now()
      const setbacks = this.#setbacksOf(node)
      if (setbacks.add(reason, now)) {
        const what = made ? 'the index of an invoice cannot be stored' : 'the node makes no invoice'
        log.warn({ error: reason, node }, what)
      }
      const up = canBeAsked(this.#parts.nodes.get(node))
      const retryMs = setbacks.retryAt - now
      this.#run({ type: 'failed', call, node, amountMsat, up, retryMs, now })
      return
    }
    const now = clock.now()
    const tookMs = measured ? now - startedAt : undefined
    this.#run({ type: 'made', call, node, amountMsat, tookMs, now })
  }

  #taken(call: number): PooledInvoice | undefined {
    const invoice = this.#made.get(call)
    this.#made.delete(call)
    return invoice
  }

  #keep(price: PriceKey, invoice: PooledInvoice | undefined): void {
    const { store, clock, log } = this.#parts
    const { node, amountMsat } = price
    const setbacks = this.#storeSetbacks
    const keep = async (): Promise<void> => {
      try {
        if (invoice) await store.add([invoice])
        setbacks.over()
      } catch (error) {
        const now = clock.now()
        this.#fault(node, 'store')
        if (setbacks.add(error, now)) log.error({ error, node }, 'no invoice can be stored')
        const retryMs = setbacks.retryAt - now
        this.#run({ type: 'unkept', node, amountMsat, retryMs, now })
        return
      }
      this.#run({ type: 'kept', node, amountMsat, now: clock.now() })
    }
    const keeping = keep().finally(() => this.#keeping.delete(keeping))
    this.#keeping.add(keeping)
  }

  #drop({ node, amountMsat }: PriceKey): void {
    try {
      this.#parts.store.drop(node, amountMsat)
    } catch (error) {
      this.#fault(node, 'store')
      this.#parts.log.error({ error, node }, 'stored invoices cannot be dropped')
    }
  }

  #fault(node: string, failure: Failure): void {
    this.#parts.meter.of(node).failures[failure]++
  }

  #setbacksOf(node: string): Setbacks {
    let setbacks = this.#setbacks.get(node)
    if (!setbacks) this.#setbacks.set(node, (setbacks = new Setbacks(this.#parts.random)))
    return setbacks
  }

  #arm(node: string): void {
    const at = retryAt(this.#state, node)
    const timer = this.#timers.get(node)
    if (timer?.at === at) return
    timer?.cancel()
    this.#timers.delete(node)
    if (at === Infinity || this.#closed) return
    const { clock, nodes } = this.#parts
    const cancel = clock.after(at - clock.now(), () => {
      this.#timers.delete(node)
      const up = canBeAsked(nodes.get(node))
      // A timer may fire a rounding error early, and would be set again and again.
      this.#run({ type: 'node', node, up, now: Math.max(at, clock.now()) })
    })
    this.#timers.set(node, { at, cancel })
  }
}

const closing = (): PinholeError =>
  new PinholeError('ERR_INVOICE_UNAVAILABLE', 'the hub is closing', {
    retryAfterMs: RETRY_AFTER_MS.away,
  })
