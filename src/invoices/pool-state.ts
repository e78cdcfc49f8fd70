/** What the pool's core knows: how many invoices of each price are ready, on their way and waited for. */
import { Demand, LeadTime } from './demand.ts'
import type { PriceKey } from './pool-events.ts'

/** `invoices.pool` of the configuration. */
export interface PoolLimits {
  readonly enabled: boolean
  /** Most that are kept and under way for one price of one node. */
  readonly perPrice: number
  /** The same in all. */
  readonly total: number
}

/** Kept from a price's first request on. */
export const MIN_STOCK = 4

/** More than the demand to expect, since demand grows without notice. */
const MARGIN = 1.25

/** A price that nobody has asked for in this long is not made ahead any more. */
const FORGOTTEN_MS = 3_600_000

/** Prices remembered without an invoice ready, under way or waited for. */
const MAX_IDLE_PRICES = 1_024

/** One price of one node. */
export interface Price extends PriceKey {
  /** In the store. */
  ready: number
  /** Being made, or on their way into the store. */
  coming: number
  /** Requests that wait, first come first. */
  readonly waiting: Set<number>
  readonly demand: Demand
}

/** One node. */
export interface Source {
  up: boolean
  /** Calls under way. */
  calls: number
  waiting: number
  readonly lead: LeadTime
  /** Nothing is made ahead before this time. */
  refillAt: number
  /** Whether some price wants more than could be asked for. */
  owing: boolean
}

/** Everything. Changed in place by `step`, whose one user goes on with it. */
export interface PoolState {
  readonly limits: PoolLimits
  readonly sources: Map<string, Source>
  /** Least recently asked for first. */
  readonly prices: Map<string, Price>
  /** Ready and coming, over all prices. */
  held: number
  nextCall: number
}

/** A pool that has yet to hear (by `counted`) what the store holds. */
export function emptyPool(limits: PoolLimits): PoolState {
  return { limits, sources: new Map(), prices: new Map(), held: 0, nextCall: 1 }
}

const idOf = ({ node, amountMsat }: PriceKey): string => `${amountMsat} ${node}`

/** The node of that name, known from now on. */
export function sourceOf(state: PoolState, node: string): Source {
  let source = state.sources.get(node)
  if (!source) {
    const lead = new LeadTime()
    source = { up: false, calls: 0, waiting: 0, lead, refillAt: -Infinity, owing: false }
    state.sources.set(node, source)
  }
  return source
}

/** The price, known from now on. */
export function priceOf(state: PoolState, { node, amountMsat }: PriceKey): Price {
  const id = idOf({ node, amountMsat })
  let price = state.prices.get(id)
  if (!price) {
    price = { node, amountMsat, ready: 0, coming: 0, waiting: new Set(), demand: new Demand() }
    state.prices.set(id, price)
  }
  return price
}

/** The price as the one asked for most recently; others that are of no use are forgotten beyond a bound. */
export function touchPrice(state: PoolState, key: PriceKey): Price {
  const price = priceOf(state, key)
  state.prices.delete(idOf(key))
  state.prices.set(idOf(key), price)
  if (state.prices.size <= MAX_IDLE_PRICES) return price
  for (const [id, other] of state.prices) {
    if (other === price || other.ready + other.coming + other.waiting.size > 0) continue
    state.prices.delete(id)
    break
  }
  return price
}

/** How many of a price should be ready or coming beyond those that are waited for. */
export function targetOf({ limits }: PoolState, price: Price, now: number): number {
  if (!limits.enabled) return 0
  const least = now - price.demand.askedAt < FORGOTTEN_MS ? MIN_STOCK : 0
  const wanted = Math.ceil(price.demand.perLead(now) * MARGIN)
  return Math.min(limits.perPrice, Math.max(least, wanted))
}
