/** A node in memory with lnd's rules for indexes and backlogs, at a distance, that can be made to fail. */
import { createHash } from 'node:crypto'
import { toHex } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type {
  InvoiceEvent,
  InvoiceIndexes,
  InvoiceNode,
  InvoiceStatus,
  InvoiceTerms,
  MadeInvoice,
  NodeSource,
} from '../../src/invoices/node.ts'

interface Kept {
  readonly preimage: Uint8Array
  readonly paymentHash: Uint8Array
  readonly amountMsat: bigint
  readonly addIndex: bigint
  settleIndex: bigint
  settledAtMs: number
}

interface Stream {
  readonly push: (event: InvoiceEvent) => void
  readonly fail: (reason: Error) => void
}

const offline = (): PinholeError => new PinholeError('ERR_NODE_OFFLINE', 'the node is away')

export class VirtualNode implements InvoiceNode {
  readonly name: string
  readonly #clock: Clock
  #key: string
  readonly #replaced = new Set<() => void>()
  readonly #listeners = new Set<() => void>()
  readonly #streams = new Set<Stream>()
  readonly invoices = new Map<string, Kept>()
  #settled = 0n
  state: InvoiceNode['state'] = 'ready'
  /** How long the next call takes. */
  roundTripMs: () => number = () => 0
  /** What the next `addInvoice` fails with, after its round trip. */
  addFails: () => Error | undefined = () => undefined
  /** Whether the next call is never answered. */
  hangs = false
  calls = 0
  mostCalls = 0
  /** What was subscribed with. */
  readonly subscriptions: InvoiceIndexes[] = []

  /** @param key whose invoices it makes; another node of the same name has another */
  constructor(name: string, clock: Clock, key = name) {
    this.name = name
    this.#clock = clock
    this.#key = key
  }

  onReplaced(listener: () => void): () => void {
    this.#replaced.add(listener)
    return () => this.#replaced.delete(listener)
  }

  /** Another node answers by this name from now on. */
  becomes(key: string): void {
    this.#key = key
    this.invoices.clear()
    this.#settled = 0n
    for (const listener of [...this.#replaced]) listener()
  }

  onReady(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Goes away: streams break, calls under way fail. */
  leave(): void {
    this.state = 'away'
    for (const stream of [...this.#streams]) stream.fail(offline())
  }

  comeBack(): void {
    this.state = 'ready'
    for (const listener of [...this.#listeners]) listener()
  }

  /** The stream breaks although the node is there. */
  breakStreams(): void {
    for (const stream of [...this.#streams]) stream.fail(new Error('the stream broke'))
  }

  get streams(): number {
    return this.#streams.size
  }

  async addInvoice(terms: InvoiceTerms): Promise<MadeInvoice> {
    this.mostCalls = Math.max(this.mostCalls, ++this.calls)
    try {
      await this.#trip()
      const failure = this.addFails()
      if (failure) throw failure
    } finally {
      this.calls--
    }
    return this.create(terms.amountMsat)
  }

  /** An invoice that the node makes for whoever it may be. */
  create(amountMsat: bigint): MadeInvoice {
    const addIndex = BigInt(this.invoices.size + 1)
    const preimage = createHash('sha256').update(`${this.#key} ${addIndex}`).digest()
    const paymentHash = createHash('sha256').update(preimage).digest()
    const kept = { preimage, paymentHash, amountMsat, addIndex, settleIndex: 0n, settledAtMs: 0 }
    this.invoices.set(toHex(paymentHash), kept)
    this.#tell(kept)
    return { paymentRequest: `lnbc-${this.#key}-${addIndex}`, paymentHash, addIndex }
  }

  /** Somebody pays. */
  settle(paymentHash: Uint8Array): void {
    const kept = this.invoices.get(toHex(paymentHash))
    if (!kept || kept.settleIndex > 0n) return
    kept.settleIndex = ++this.#settled
    kept.settledAtMs = this.#clock.wall()
    this.#tell(kept)
  }

  async *subscribeInvoices(
    from: InvoiceIndexes,
    signal: AbortSignal,
  ): AsyncGenerator<InvoiceEvent> {
    this.subscriptions.push(from)
    if (this.state !== 'ready') throw offline()
    const queue: InvoiceEvent[] = this.#backlog(from)
    let failure: Error | undefined
    let wake: () => void = () => {}
    const stream: Stream = {
      push: (event) => (queue.push(event), wake()),
      fail: (reason) => ((failure = reason), wake()),
    }
    const aborted = (): void => stream.fail(new Error('aborted'))
    signal.addEventListener('abort', aborted)
    this.#streams.add(stream)
    try {
      for (;;) {
        const event = queue.shift()
        if (event) yield event
        else if (failure) throw failure
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#streams.delete(stream)
      signal.removeEventListener('abort', aborted)
    }
  }

  async lookupInvoice(paymentHash: Uint8Array): Promise<InvoiceStatus | undefined> {
    await this.#trip()
    const kept = this.invoices.get(toHex(paymentHash))
    if (!kept) return undefined
    if (kept.settleIndex === 0n) return { state: 'open' }
    return { state: 'settled', preimage: kept.preimage }
  }

  async #trip(): Promise<void> {
    this.#checkThere()
    if (this.hangs) await new Promise(() => {})
    const ms = this.roundTripMs()
    if (ms > 0) await new Promise<void>((resolve) => this.#clock.after(ms, resolve))
    this.#checkThere()
  }

  #checkThere(): void {
    if (this.state === 'away') throw offline()
  }

  /** As lnd: nothing for an index of 0. */
  #backlog({ addIndex, settleIndex }: InvoiceIndexes): InvoiceEvent[] {
    const all = [...this.invoices.values()]
    const added = addIndex > 0n ? all.filter((kept) => kept.addIndex > addIndex) : []
    const settled = settleIndex > 0n ? all.filter((kept) => kept.settleIndex > settleIndex) : []
    settled.sort((a, b) => Number(a.settleIndex - b.settleIndex))
    return [...added, ...settled].map(eventOf)
  }

  #tell(kept: Kept): void {
    for (const stream of this.#streams) stream.push(eventOf(kept))
  }
}

const eventOf = ({ paymentHash, settleIndex, settledAtMs, addIndex }: Kept): InvoiceEvent => {
  return { paymentHash, settled: settleIndex > 0n, settledAtMs, addIndex, settleIndex }
}

/** The nodes of a hub, changed at will. */
export class VirtualNodes implements NodeSource {
  nodes: VirtualNode[]

  constructor(...nodes: VirtualNode[]) {
    this.nodes = nodes
  }

  get(name: string | undefined): VirtualNode | undefined {
    return name === undefined ? this.nodes[0] : this.nodes.find((node) => node.name === name)
  }

  all(): readonly VirtualNode[] {
    return this.nodes
  }
}
