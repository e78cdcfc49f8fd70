/** Follows the invoice stream of one node for as long as the hub runs, whatever becomes of the node. */
import { backoffMs, type BackoffBounds } from '../../mailbox/transport/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Cursor } from './cursor.ts'
import type { Meter } from './meter.ts'
import type { InvoiceEvent, InvoiceNode } from './node.ts'
import type { SettleIndexStore } from './pool-store.ts'
import type { Settlements } from './settlements.ts'

/** After a stream has ended. */
const RESUME: BackoffBounds = { firstMs: 250, maxMs: 30_000 }

/** A stream that lasted this long was a good one: the next wait is short again. */
const GOOD_STREAM_MS = 10_000

/** How long the indexes may lag behind: many settlements at once share a write. */
const SAVE_MS = 200

/** What a follower needs. */
export interface FollowerParts {
  readonly settlements: Settlements
  readonly store: SettleIndexStore
  readonly meter: Meter
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** Hears of every settlement at a node, also of those in a gap. */
export class Follower {
  readonly node: InvoiceNode
  readonly #parts: FollowerParts
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #cursor: Cursor | undefined
  #cancelSave: (() => void) | undefined
  #subscribed = false
  #failure: unknown

  constructor(node: InvoiceNode, parts: FollowerParts) {
    this.node = node
    this.#parts = parts
    this.#running = this.#follow()
  }

  /** Whether a stream is open. */
  get subscribed(): boolean {
    return this.#subscribed
  }

  /** What the last stream has failed with, until one is open again. */
  get failure(): unknown {
    return this.#subscribed ? undefined : this.#failure
  }

  /** The node has made an invoice of ours. Throws when its payment might not be found after a crash. */
  made(addIndex: bigint): void {
    if (this.#loaded().made(addIndex)) this.#save()
  }

  /** Ends the stream and stores nothing more: its node has lost its name to another. */
  abandon(): Promise<void> {
    this.#cancelSave?.()
    this.#cancelSave = undefined
    return this.close()
  }

  /** Ends the stream and stores how far it was heard. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
    if (!this.#cancelSave) return
    this.#cancelSave()
    this.#saveNow()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    const { clock, log, random } = this.#parts
    const node = this.node.name
    for (let failures = 0; !signal.aborted; failures++) {
      await this.#untilReady()
      if (signal.aborted) return
      const startedAt = clock.now()
      try {
        await this.#listen()
        if (!signal.aborted) log.info({ node }, 'the stream of invoices has ended')
      } catch (error) {
        this.#failure = error
        if (!signal.aborted) log.warn({ error, node }, 'the stream of invoices has failed')
      }
      this.#subscribed = false
      if (clock.now() - startedAt >= GOOD_STREAM_MS) failures = 0
      await this.#pause(backoffMs(failures, RESUME, random))
    }
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing
    const { indexes } = this.#loaded()
    this.#parts.meter.of(this.node.name).streams++
    const events = this.node.subscribeInvoices(indexes, signal)
    this.#subscribed = true
    for await (const event of events) {
      if (signal.aborted) return
      this.#hear(event)
    }
  }

  /** The index moves on after the effect is stored, so that a crash in between repeats and never skips. */
  #hear(event: InvoiceEvent): void {
    const { settlements, meter, clock } = this.#parts
    const { paymentHash, settledAtMs } = event
    if (event.settled && settlements.record({ paymentHash, settledAtMs })) {
      meter.of(this.node.name).settled++
    }
    if (!this.#loaded().heard(event) || this.#cancelSave) return
    this.#cancelSave = clock.after(SAVE_MS, () => this.#saveNow())
  }

  #loaded(): Cursor {
    this.#cursor ??= new Cursor(this.#parts.store.load(this.node.name))
    return this.#cursor
  }

  #save(): void {
    const cursor = this.#loaded()
    this.#parts.store.save(this.node.name, cursor.indexes)
    cursor.saved()
  }

  #saveNow(): void {
    this.#cancelSave = undefined
    try {
      this.#save()
    } catch (error) {
      this.#parts.log.error({ error, node: this.node.name }, 'the indexes cannot be stored')
    }
  }

  async #untilReady(): Promise<void> {
    while (this.node.state !== 'ready' && !this.#closing.signal.aborted) {
      await this.#pause(RESUME.maxMs)
    }
  }

  /** Waits, at most until the node becomes ready. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        stopListening()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#parts.clock.after(ms, done)
      const stopListening = this.node.onReady(done)
      signal.addEventListener('abort', done)
    })
  }
}
