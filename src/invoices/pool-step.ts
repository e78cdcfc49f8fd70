/**
 * The invoice pool as a pure step: `step(state, event) → effects`. Store, nodes and timers are in `pool.ts`.
 *
 *     ask ──► take ─────────────────────────────► the request has its invoice
 *      │       └─missed─┐
 *      └─none ready──► waiting ──make──► made ──give──► the request that has waited longest
 *                          └─left, or refuse    └─nobody waits─► keep ──► kept: ready
 *
 * Invoices are ordered by position: what is ready and coming, less what is waited for, is brought up to a
 * target that follows demand (`demand.ts`). So each request that waits has an invoice on its way, one that
 * gives up leaves its invoice to the next, and nothing is made twice for the same want.
 */
import type { PoolEffect, PoolEvent, PriceKey, Refusal } from './pool-events.ts'
import { priceOf, sourceOf, targetOf, touchPrice } from './pool-state.ts'
import type { PoolState, Price, Source } from './pool-state.ts'

/** Calls under way at one node: a node 300 ms away then makes 800 invoices a second, more than lnd can. */
export const MAX_CALLS = 256

/** Of these for invoices that nobody waits for yet, so that those who wait always find a free call. */
export const MAX_REFILL_CALLS = 192

/** Requests that wait for one node; at its limit of calls the last one waits a few seconds. */
export const MAX_WAITING = 1_024

/** The invoices of a price may be given up for another price's once nobody has asked for them in this long. */
const EVICTABLE_MS = 60_000

/** Takes one event; returns what is to be done, in order. Changes `state`. */
export function step(state: PoolState, event: PoolEvent): readonly PoolEffect[] {
  const effects: PoolEffect[] = []
  switch (event.type) {
    case 'ask':
      ask(state, event, effects)
      break
    case 'missed':
      missed(state, event, effects)
      break
    case 'left':
      if (priceOf(state, event).waiting.delete(event.id)) sourceOf(state, event.node).waiting--
      break
    case 'made':
      made(state, event, effects)
      break
    case 'failed':
      failed(state, event, effects)
      break
    case 'kept':
      kept(state, event, effects)
      break
    case 'unkept':
      unkept(state, event, effects)
      break
    case 'node':
      reached(sourceOf(state, event.node), event)
      orderOwed(state, event.node, event.now, effects)
      break
    case 'counted':
      counted(state, event)
      break
  }
  return effects
}

/** When to bring `node`'s next `node` event; `Infinity` when none is needed. */
export function retryAt(state: PoolState, node: string): number {
  const source = state.sources.get(node)
  return source?.owing && source.up && source.calls === 0 ? source.refillAt : Infinity
}

type Of<Type extends PoolEvent['type']> = Extract<PoolEvent, { type: Type }>

function ask(state: PoolState, event: Of<'ask'>, effects: PoolEffect[]): void {
  const source = sourceOf(state, event.node)
  source.up = event.up
  const price = touchPrice(state, event)
  price.demand.asked(source.lead.ms, event.now)
  if (state.limits.enabled && price.ready > 0) take(state, price, event.id, effects)
  else if (!join(source, price, event.id, effects)) return
  order(state, price, event.now, effects)
}

function missed(state: PoolState, event: Of<'missed'>, effects: PoolEffect[]): void {
  const source = sourceOf(state, event.node)
  source.up = event.up
  const price = priceOf(state, event)
  setReady(state, price, 0)
  if (join(source, price, event.id, effects)) order(state, price, event.now, effects)
}

function take(state: PoolState, price: Price, id: number, effects: PoolEffect[]): void {
  setReady(state, price, price.ready - 1)
  effects.push({ type: 'take', id, ...keyOf(price) })
}

/** Lets a request wait, or refuses it. */
function join(source: Source, price: Price, id: number, effects: PoolEffect[]): boolean {
  if (!source.up || source.waiting >= MAX_WAITING) {
    effects.push(refusal(price, id, source.up ? 'busy' : 'away'))
    return false
  }
  source.waiting++
  price.waiting.add(id)
  return true
}

function made(state: PoolState, event: Of<'made'>, effects: PoolEffect[]): void {
  const { node, call, now } = event
  const source = sourceOf(state, node)
  const price = priceOf(state, event)
  source.calls--
  source.up = true
  if (event.tookMs !== undefined) source.lead.measured(event.tookMs)
  const id = leave(source, price)
  if (id === undefined && state.limits.enabled) {
    effects.push({ type: 'keep', call, ...keyOf(price) })
  } else {
    arrived(state, price)
    effects.push(id === undefined ? { type: 'discard', call } : { type: 'give', call, id })
  }
  orderNext(state, price, now, effects)
}

function failed(state: PoolState, event: Of<'failed'>, effects: PoolEffect[]): void {
  const source = sourceOf(state, event.node)
  const price = priceOf(state, event)
  source.calls--
  source.up = event.up
  source.refillAt = Math.max(source.refillAt, event.now + event.retryMs)
  arrived(state, price)
  // Each that waits counts on one call: one call less is one request less. With the node gone, all are.
  let refused = source.up ? Math.min(1, price.waiting.size - price.coming) : price.waiting.size
  for (; refused > 0; refused--) {
    const id = leave(source, price)
    if (id !== undefined) effects.push(refusal(price, id, 'failed'))
  }
  orderNext(state, price, event.now, effects)
}

function kept(state: PoolState, event: Of<'kept'>, effects: PoolEffect[]): void {
  const price = priceOf(state, event)
  price.coming--
  price.ready++
  const id = leave(sourceOf(state, event.node), price)
  if (id !== undefined) take(state, price, id, effects)
  order(state, price, event.now, effects)
}

function unkept(state: PoolState, event: Of<'unkept'>, effects: PoolEffect[]): void {
  const source = sourceOf(state, event.node)
  const price = priceOf(state, event)
  source.refillAt = Math.max(source.refillAt, event.now + event.retryMs)
  arrived(state, price)
  order(state, price, event.now, effects)
}

/** A price with invoices on their way into the store is left for the next count: they may be in this one. */
function counted(state: PoolState, { counts }: Of<'counted'>): void {
  if (!state.limits.enabled) return
  const counted = new Map<Price, number>()
  for (const row of counts) counted.set(priceOf(state, row), row.count)
  for (const price of state.prices.values()) {
    if (price.coming === 0) setReady(state, price, counted.get(price) ?? 0)
  }
}

/** A node that is back is asked at once, whatever went wrong before. */
function reached(source: Source, { up, now }: Of<'node'>): void {
  if (up && !source.up) source.refillAt = now
  source.up = up
}

function setReady(state: PoolState, price: Price, ready: number): void {
  state.held += ready - price.ready
  price.ready = ready
}

/** One is no longer coming. */
function arrived(state: PoolState, price: Price): void {
  price.coming--
  state.held--
}

/** The request that has waited longest waits no more. */
function leave(source: Source, price: Price): number | undefined {
  const [id] = price.waiting
  if (id === undefined) return undefined
  price.waiting.delete(id)
  source.waiting--
  return id
}

/** A call has ended: its place goes to the same price, then to others that could not have one. */
function orderNext(state: PoolState, price: Price, now: number, effects: PoolEffect[]): void {
  order(state, price, now, effects)
  if (sourceOf(state, price.node).owing) orderOwed(state, price.node, now, effects)
}

function orderOwed(state: PoolState, node: string, now: number, effects: PoolEffect[]): void {
  const source = sourceOf(state, node)
  const prices = [...state.prices.values()].filter((price) => price.node === node)
  source.owing = false
  for (const price of prices) orderForWaiting(state, price, effects)
  // Most recently asked for first.
  for (const price of prices.reverse()) orderForStock(state, price, now, effects)
}

function order(state: PoolState, price: Price, now: number, effects: PoolEffect[]): void {
  orderForWaiting(state, price, effects)
  orderForStock(state, price, now, effects)
}

function orderForWaiting(state: PoolState, price: Price, effects: PoolEffect[]): void {
  const source = sourceOf(state, price.node)
  while (source.up && price.coming < price.waiting.size) {
    if (source.calls >= MAX_CALLS) {
      source.owing = true
      return
    }
    make(state, source, price, effects)
  }
}

function orderForStock(state: PoolState, price: Price, now: number, effects: PoolEffect[]): void {
  const source = sourceOf(state, price.node)
  const position = targetOf(state, price, now) + price.waiting.size
  while (price.ready + price.coming < position) {
    if (!source.up || now < source.refillAt || source.calls >= MAX_REFILL_CALLS) {
      source.owing = true
      return
    }
    if (state.held >= state.limits.total && !evict(state, price, now, effects)) return
    make(state, source, price, effects)
  }
}

function make(state: PoolState, source: Source, price: Price, effects: PoolEffect[]): void {
  source.calls++
  price.coming++
  state.held++
  effects.push({ type: 'make', call: state.nextCall++, ...keyOf(price) })
}

/**
 * Makes room by giving up the price that nobody has asked for in the longest time, when that is long. Never
 * one that was asked for after `asker`: two idle prices would take the room from each other for ever.
 */
function evict(state: PoolState, asker: Price, now: number, effects: PoolEffect[]): boolean {
  for (const price of state.prices.values()) {
    if (price === asker) return false
    if (price.ready === 0 || now - price.demand.askedAt < EVICTABLE_MS) continue
    setReady(state, price, 0)
    effects.push({ type: 'drop', ...keyOf(price) })
    return true
  }
  return false
}

const keyOf = ({ node, amountMsat }: PriceKey): PriceKey => ({ node, amountMsat })

const refusal = (price: Price, id: number, reason: Refusal): PoolEffect => ({
  type: 'refuse',
  id,
  reason,
  ...keyOf(price),
})
