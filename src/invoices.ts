/** The bridge between nodes and paywall: invoices for challenges, made ahead, and word of their payment. */
import type { Registry } from 'prom-client'
import type { Invoice, InvoiceBackend, InvoiceRequest } from '../proxy/invoice-backend.ts'
import type { Clock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { Follower } from './invoices/follower.ts'
import { Meter } from './invoices/meter.ts'
import { registerMetrics } from './invoices/metrics.ts'
import type { InvoiceNode, NodeSource } from './invoices/node.ts'
import type { InvoiceOptions } from './invoices/options.ts'
import { Origins } from './invoices/origins.ts'
import { InvoicePool, type PooledPrice } from './invoices/pool.ts'
import type { PoolStore, SettleIndexStore, SettlementStore } from './invoices/pool-store.ts'
import { Settlements, type Settlement } from './invoices/settlements.ts'

export type { InvoiceOptions } from './invoices/options.ts'
export type { Settlement } from './invoices/settlements.ts'

/** How often stored invoices are counted, old ones dropped, and nodes looked for that are new. */
const ROUND_MS = 60_000

/** A node without the name that a service gives will not turn up soon. */
const UNKNOWN_NODE_RETRY_MS = 60_000

/** What invoices are made of. */
export interface InvoiceParts {
  readonly nodes: NodeSource
  readonly pool: PoolStore
  readonly settle: SettleIndexStore & SettlementStore
  /** `invoices` of the configuration. */
  readonly options: InvoiceOptions
  readonly clock: Clock
  readonly log: Log
  readonly registry?: Registry | undefined
  /** From 0 to below 1, for the jitter of retries. */
  readonly random?: () => number
}

/** One node as health shows it. */
export interface InvoiceHealth {
  readonly node: string
  readonly state: InvoiceNode['state']
  /** Invoices made ahead. */
  readonly ready: number
  /** Whether settlements are heard. */
  readonly subscribed: boolean
}

/** The paywall's invoices. */
export interface Invoices extends InvoiceBackend {
  /** Calls `listener` once for each invoice of ours that is paid from now on. */
  onSettled(listener: (settlement: Settlement) => void): () => void
  /** The nodes, for health. */
  readonly state: readonly InvoiceHealth[]
  /** Why the settlements of a node are not heard, where that is known. */
  deaf(node: string): string | undefined
  /** What is made ahead, by node and price. */
  readonly pooled: readonly PooledPrice[]
  /** Looks for nodes that are new or gone. */
  refresh(): void
  /** Refuses what waits; resolves when nothing is written any more and the store may be closed. */
  close(): Promise<void>
}

/** Starts to hear of settlements at all nodes, and gives out invoices until `close`. */
export function openInvoices(parts: InvoiceParts): Invoices {
  return new NodeInvoices(parts)
}

interface Tracked {
  readonly follower: Follower
  readonly stopListening: () => void
}

class NodeInvoices implements Invoices {
  readonly #parts: InvoiceParts
  readonly #meter = new Meter()
  readonly #pool: InvoicePool
  readonly #settlements: Settlements
  readonly #tracked = new Map<string, Tracked>()
  readonly #ending = new Set<Promise<void>>()
  #cancelRound: () => void = () => {}
  #closed = false

  constructor(parts: InvoiceParts) {
    this.#parts = parts
    const { nodes, clock, log, random = Math.random } = parts
    const options = usable(parts.options, log)
    const origins = new Origins()
    const shared = { nodes, options, origins, clock, log }
    this.#settlements = new Settlements({
      ...shared,
      store: parts.settle,
      timeoutMs: options.timeout,
    })
    this.#pool = new InvoicePool({
      ...shared,
      store: parts.pool,
      meter: this.#meter,
      random,
      onMade: (node, addIndex) => this.#track(node).follower.made(addIndex),
    })
    if (parts.registry) this.#register(parts.registry)
    this.#round()
  }

  async invoice({ amountMsat, node: name }: InvoiceRequest): Promise<Invoice> {
    if (amountMsat <= 0n) throw new TypeError('an invoice is for more than nothing')
    const node = this.#parts.nodes.get(name)
    if (!node) {
      const which = name === undefined ? 'no node is paired' : `no node named ${name} is paired`
      throw new PinholeError('ERR_INVOICE_UNAVAILABLE', which, {
        retryAfterMs: UNKNOWN_NODE_RETRY_MS,
      })
    }
    this.#track(node)
    return this.#pool.invoice(node, amountMsat)
  }

  settled(paymentHash: Uint8Array, withinMs: number): Promise<boolean> {
    return this.#settlements.settled(paymentHash, withinMs)
  }

  preimage(paymentHash: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#settlements.preimage(paymentHash)
  }

  onSettled(listener: (settlement: Settlement) => void): () => void {
    return this.#settlements.onSettled(listener)
  }

  get state(): readonly InvoiceHealth[] {
    const ready = this.#pool.ready()
    return this.#parts.nodes.all().map(({ name, state }) => {
      // What a node that is away would tell is not heard, though its stream may not have ended yet.
      const hears = this.#tracked.get(name)?.follower.subscribed ?? false
      const subscribed = hears && state !== 'away'
      return { node: name, state, ready: ready.get(name) ?? 0, subscribed }
    })
  }

  deaf(node: string): string | undefined {
    const failure = this.#tracked.get(node)?.follower.failure
    return failure instanceof Error ? failure.message : undefined
  }

  get pooled(): readonly PooledPrice[] {
    return this.#pool.prices()
  }

  refresh(): void {
    if (this.#closed) return
    this.#cancelRound()
    this.#round()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRound()
    this.#settlements.close()
    for (const name of [...this.#tracked.keys()]) this.#untrack(name)
    await Promise.all([this.#pool.close(), ...this.#ending])
  }

  #round(): void {
    const nodes = this.#parts.nodes.all()
    for (const [name, { follower }] of [...this.#tracked]) {
      if (!nodes.includes(follower.node)) this.#untrack(name)
    }
    this.#pool.recount()
    for (const node of nodes) {
      this.#track(node)
      this.#pool.reached(node)
    }
    this.#cancelRound = this.#parts.clock.after(ROUND_MS, () => this.#round())
  }

  /** Follows a node from now on. One of the same name was removed, and paired again since. */
  #track(node: InvoiceNode): Tracked {
    const before = this.#tracked.get(node.name)
    if (before?.follower.node === node) return before
    if (before) this.#part(node.name)
    const { settle: store, clock, log, random = Math.random } = this.#parts
    const settlements = this.#settlements
    const parts = { settlements, store, meter: this.#meter, clock, log, random }
    const follower = new Follower(node, parts)
    const stops = [
      node.onReady(() => this.#pool.reached(node)),
      node.onReplaced?.(() => {
        this.#part(node.name)
        this.#track(node)
        this.#pool.reached(node)
      }),
    ]
    const stopListening = () => stops.forEach((stop) => stop?.())
    const tracked = { follower, stopListening }
    this.#tracked.set(node.name, tracked)
    return tracked
  }

  #untrack(name: string, end = (follower: Follower) => follower.close()): void {
    const tracked = this.#tracked.get(name)
    if (!tracked) return
    this.#tracked.delete(name)
    tracked.stopListening()
    const ending = end(tracked.follower).finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }

  /** Another node has the name from now on. */
  #part(name: string): void {
    this.#untrack(name, (follower) => follower.abandon())
    this.#pool.part(name)
    try {
      this.#parts.settle.save(name, { addIndex: 0n, settleIndex: 0n })
    } catch (error) {
      this.#parts.log.error({ error, node: name }, 'the indexes cannot be stored')
    }
  }

  #register(registry: Registry): void {
    const pool = this.#pool
    const tracked = this.#tracked
    registerMetrics(
      {
        meter: this.#meter,
        ready: () => pool.ready(),
        subscribed: () =>
          new Map([...tracked].map(([name, { follower }]) => [name, follower.subscribed])),
      },
      registry,
    )
  }
}

/** A pool whose invoices would be too old from the start is none. */
function usable(options: InvoiceOptions, log: Log): InvoiceOptions {
  const { pool, expiry } = options
  if (!pool.enabled || pool.minlife < expiry) return options
  log.warn(
    { minlife: pool.minlife, expiry },
    'no invoices are made ahead: minlife is not below expiry',
  )
  return { ...options, pool: { ...pool, enabled: false } }
}
