/** Which invoices are paid: heard from the nodes' streams, read from the store, or asked of the node. */
import { createHash } from 'node:crypto'
import { equalBytes, toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { withDeadline } from './deadline.ts'
import { canBeAsked, type InvoiceNode, type InvoiceStatus, type NodeSource } from './node.ts'
import type { Origins } from './origins.ts'
import type { SettlementStore } from './pool-store.ts'

/** Settled invoices remembered, so that a page that asks every second reads no disk: about 4 MB. */
const MAX_RECENT = 32_768

/** Requests that wait for a settlement; further ones get the answer of the moment. */
const MAX_WAITING = 10_000

/** Invoices asked for at the nodes at once; more than that is what the streams are for. */
const MAX_LOOKUPS = 64

/** An invoice of ours was paid. */
export interface Settlement {
  readonly paymentHash: Uint8Array
  /** Milliseconds since 1970. */
  readonly settledAtMs: number
}

/** What is needed for that. */
export interface SettlementParts {
  readonly nodes: NodeSource
  readonly store: SettlementStore
  readonly origins: Origins
  /** How long a node may take to answer. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly log: Log
}

type Waiter = (settled: boolean) => void

/** Keeps account of what is paid; each invoice counts once. */
export class Settlements {
  readonly #parts: SettlementParts
  readonly #recent = new Set<string>()
  readonly #waiting = new Map<string, Set<Waiter>>()
  readonly #listeners = new Set<(settlement: Settlement) => void>()
  readonly #lookups = new Map<string, Promise<InvoiceStatus | undefined>>()
  #waiters = 0

  constructor(parts: SettlementParts) {
    this.#parts = parts
  }

  /** Takes in that an invoice was settled. Returns whether that is news. Throws when it cannot be stored. */
  record(settlement: Settlement): boolean {
    const { paymentHash, settledAtMs } = settlement
    const news = this.#parts.store.settle(paymentHash, settledAtMs)
    const id = toHex(paymentHash)
    this.#recent.add(id)
    if (this.#recent.size > MAX_RECENT) {
      const [oldest] = this.#recent
      if (oldest !== undefined) this.#recent.delete(oldest)
    }
    for (const finish of [...(this.#waiting.get(id) ?? [])]) finish(true)
    if (news) this.#tell(settlement)
    return news
  }

  /** Calls `listener` once for each invoice of ours that is paid from now on. */
  onSettled(listener: (settlement: Settlement) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether an invoice is paid. Asks its node, and waits, only when `withinMs` is above 0. Never rejects. */
  settled(paymentHash: Uint8Array, withinMs: number): Promise<boolean> {
    const id = toHex(paymentHash)
    if (this.#isKnown(id, paymentHash)) return Promise.resolve(true)
    if (withinMs <= 0 || this.#waiters >= MAX_WAITING) return Promise.resolve(false)
    return new Promise((resolve) => {
      const finish = (settled: boolean): void => {
        cancel()
        this.#stopWaiting(id, finish)
        resolve(settled)
      }
      const cancel = this.#parts.clock.after(withinMs, () => finish(false))
      this.#startWaiting(id, finish)
      // Calls `finish` by way of `record`.
      void this.#lookup(id, paymentHash)
    })
  }

  /** The preimage of a paid invoice, as its node tells it; `undefined` while unpaid or unknown. Never rejects. */
  async preimage(paymentHash: Uint8Array): Promise<Uint8Array | undefined> {
    const status = await this.#lookup(toHex(paymentHash), paymentHash)
    if (status?.state !== 'settled' || !status.preimage) return undefined
    const hash = createHash('sha256').update(status.preimage).digest()
    return equalBytes(hash, paymentHash) ? status.preimage : undefined
  }

  /** Answers all that wait with what is known, which is no. */
  close(): void {
    this.#listeners.clear()
    for (const waiting of [...this.#waiting.values()]) {
      for (const finish of [...waiting]) finish(false)
    }
  }

  #isKnown(id: string, paymentHash: Uint8Array): boolean {
    if (this.#recent.has(id)) return true
    try {
      return this.#parts.store.isSettled(paymentHash)
    } catch (error) {
      this.#parts.log.error({ error }, 'the stored settlements cannot be read')
      return false
    }
  }

  #startWaiting(id: string, finish: Waiter): void {
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting.add(finish))
    this.#waiters++
  }

  #stopWaiting(id: string, finish: Waiter): void {
    const waiting = this.#waiting.get(id)
    if (!waiting?.delete(finish)) return
    this.#waiters--
    if (waiting.size === 0) this.#waiting.delete(id)
  }

  /** Many that ask for the same invoice share one question. */
  #lookup(id: string, paymentHash: Uint8Array): Promise<InvoiceStatus | undefined> {
    const running = this.#lookups.get(id)
    if (running) return running
    if (this.#lookups.size >= MAX_LOOKUPS) return Promise.resolve(undefined)
    const lookup = this.#askNodes(paymentHash).finally(() => this.#lookups.delete(id))
    this.#lookups.set(id, lookup)
    return lookup
  }

  /** Asks the node that made the invoice; when that is not remembered, all at once. */
  async #askNodes(paymentHash: Uint8Array): Promise<InvoiceStatus | undefined> {
    const { nodes, origins, clock, log } = this.#parts
    const origin = origins.of(paymentHash)
    const asked = nodes.all().filter(({ name }) => origin === undefined || name === origin)
    const answers = await Promise.all(asked.map((node) => this.#ask(node, paymentHash)))
    const status = answers.find((answer) => answer?.state === 'settled') ?? answers.find(Boolean)
    try {
      if (status?.state === 'settled') this.record({ paymentHash, settledAtMs: clock.wall() })
    } catch (error) {
      log.error({ error }, 'a settlement cannot be stored')
    }
    return status
  }

  async #ask(node: InvoiceNode, paymentHash: Uint8Array): Promise<InvoiceStatus | undefined> {
    if (!canBeAsked(node)) return undefined
    const { timeoutMs, clock, log } = this.#parts
    try {
      return await withDeadline(node.lookupInvoice(paymentHash), timeoutMs, clock, () => {
        return new PinholeError('ERR_NODE_TIMEOUT', `node ${node.name} has not answered`)
      })
    } catch (error) {
      log.debug({ error, node: node.name }, 'an invoice could not be looked up')
      return undefined
    }
  }

  #tell(settlement: Settlement): void {
    for (const listener of this.#listeners) {
      try {
        listener(settlement)
      } catch (error) {
        this.#parts.log.error({ error }, 'a listener for settlements has failed')
      }
    }
  }
}
