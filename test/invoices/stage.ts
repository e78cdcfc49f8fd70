/** Invoices on a virtual node, a store in memory and a clock that the test owns. */
import type { Invoice } from '../../proxy/invoice-backend.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openInvoices, type InvoiceOptions, type Invoices } from '../../src/invoices.ts'
import type { Registry } from 'prom-client'
import { MemoryStore } from './memory-store.ts'
import { VirtualNode, VirtualNodes } from './virtual-node.ts'

export const HOUR_MS = 3_600_000

/** The configuration's defaults. */
export const DEFAULTS: InvoiceOptions = {
  memo: 'L402',
  expiry: 24 * HOUR_MS,
  timeout: 15_000,
  pool: { enabled: true, perprice: 256, total: 1_024, minlife: HOUR_MS },
}

/** Lets every promise that can be settled be settled. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Moves time on by `ms`, one timer after the other, with all promises settled in between. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  const end = clock.now() + ms
  await settle()
  for (let next = clock.next(); next !== undefined && next <= end; next = clock.next()) {
    clock.advance(Math.max(0, next - clock.now()))
    await settle()
  }
  clock.advance(end - clock.now())
  await settle()
}

export interface Stage {
  readonly clock: ManualClock
  readonly node: VirtualNode
  readonly nodes: VirtualNodes
  readonly store: MemoryStore
  readonly invoices: Invoices
  readonly ask: (amountMsat?: bigint, node?: string) => Promise<Invoice>
}

export interface StageOptions {
  readonly options?: InvoiceOptions
  readonly roundTripMs?: () => number
  readonly store?: MemoryStore
  readonly registry?: Registry
}

export function stage(given: StageOptions = {}): Stage {
  const clock = new ManualClock()
  const node = new VirtualNode('alice', clock)
  if (given.roundTripMs) node.roundTripMs = given.roundTripMs
  const nodes = new VirtualNodes(node)
  const store = given.store ?? new MemoryStore()
  const invoices = openInvoices({
    nodes,
    pool: store,
    settle: store,
    options: given.options ?? DEFAULTS,
    clock,
    log: silentLog,
    registry: given.registry,
    random: () => 0.5,
  })
  const ask = (amountMsat = 1_000n, name?: string) => invoices.invoice({ amountMsat, node: name })
  return { clock, node, nodes, store, invoices, ask }
}

/** `options` with a pool of these bounds. */
export const withPool = (pool: Partial<InvoiceOptions['pool']>): InvoiceOptions => ({
  ...DEFAULTS,
  pool: { ...DEFAULTS.pool, ...pool },
})
