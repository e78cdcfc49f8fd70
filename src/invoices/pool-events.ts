/** What the pool's core (`pool-step.ts`) hears and what it wants done. Times are `Clock.now()`. */

/** One price of one node. */
export interface PriceKey {
  /** Name of the node. */
  readonly node: string
  readonly amountMsat: bigint
}

interface Moment {
  readonly now: number
}

/** The node that an event is about can be asked. */
interface Reachable {
  readonly up: boolean
}

/** What happened. */
export type PoolEvent =
  /** Request `id` wants an invoice. */
  | ({ readonly type: 'ask'; readonly id: number } & PriceKey & Reachable & Moment)
  /** What was to be taken for `id` is not in the store. */
  | ({ readonly type: 'missed'; readonly id: number } & PriceKey & Reachable & Moment)
  /** Request `id` has waited long enough. */
  | ({ readonly type: 'left'; readonly id: number } & PriceKey & Moment)
  /** The node has made the invoice of `call`. */
  | ({
      readonly type: 'made'
      readonly call: number
      readonly tookMs: number | undefined
    } & PriceKey &
      Moment)
  /** The node has not made it; `retryMs` is the wait before more is made ahead. */
  | ({ readonly type: 'failed'; readonly call: number; readonly retryMs: number } & PriceKey &
      Reachable &
      Moment)
  /** The store has kept an invoice. */
  | ({ readonly type: 'kept' } & PriceKey & Moment)
  /** The store could not keep it. */
  | ({ readonly type: 'unkept'; readonly retryMs: number } & PriceKey & Moment)
  /** The node can be asked again, or time has passed. */
  | ({ readonly type: 'node'; readonly node: string } & Reachable & Moment)
  /** What the store holds. */
  | ({
      readonly type: 'counted'
      readonly counts: readonly (PriceKey & { count: number })[]
    } & Moment)

/** Why a request gets no invoice. */
export type Refusal = 'away' | 'busy' | 'failed'

/** What to do, in order. */
export type PoolEffect =
  /** Take one out of the store for `id`. */
  | ({ readonly type: 'take'; readonly id: number } & PriceKey)
  /** Have the node make one. */
  | ({ readonly type: 'make'; readonly call: number } & PriceKey)
  /** Give the invoice of `call` to `id`. */
  | { readonly type: 'give'; readonly call: number; readonly id: number }
  /** Put the invoice of `call` into the store. */
  | ({ readonly type: 'keep'; readonly call: number } & PriceKey)
  /** Nobody wants the invoice of `call`. */
  | { readonly type: 'discard'; readonly call: number }
  /** Take all of a price out of the store. */
  | ({ readonly type: 'drop' } & PriceKey)
  | ({ readonly type: 'refuse'; readonly id: number; readonly reason: Refusal } & PriceKey)
