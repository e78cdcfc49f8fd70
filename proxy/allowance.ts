/**
 * How many invoices may be made for one address prefix, one service and the whole hub in a stretch of time
 * (`invoices.allowance`). Anybody can ask for invoices, so this is what keeps a node from being flooded.
 * Pure: the caller passes the time.
 */
import { addressPrefix } from './client-address.ts'
import { SlidingCount } from './sliding-count.ts'

/** Invoices for each `perMs`; 0 is as many as are asked for. */
export interface AllowanceLimits {
  readonly perMs: number
  readonly perAddress: number
  readonly perService: number
  readonly total: number
}

/** How many invoices count. */
export interface AllowanceUse {
  readonly limits: AllowanceLimits
  readonly total: number
  readonly services: readonly { readonly name: string; readonly used: number }[]
}

/** Whose share is used up. */
export type AllowanceScope = 'address' | 'service' | 'total'

/** Whether an invoice may be made. */
export type AllowanceVerdict =
  | {
      readonly granted: true
      /** To be called when no invoice was made after all; a second call does nothing. */
      giveBack(): void
    }
  | { readonly granted: false; readonly retryAfterMs: number; readonly scope: AllowanceScope }

/** One client network: an IPv4 address, or what an IPv6 subscriber has at least. */
const PREFIX_BITS = { v4: 32, v6: 64 } as const

/** Address prefixes that are counted; beyond it the one whose last invoice is oldest is forgotten. */
const MAX_PREFIXES = 100_000

/** Invoices that were made lately; outlives reloads. */
export class Allowance {
  #limits: AllowanceLimits
  #total: SlidingCount
  readonly #services = new Map<string, SlidingCount>()
  /** In the order of their last invoices. */
  readonly #prefixes = new Map<string, SlidingCount>()

  constructor(limits: AllowanceLimits) {
    this.#limits = limits
    this.#total = new SlidingCount(limits.perMs)
  }

  /** Takes new limits over (a reload). What was made so far counts on, unless `perMs` changes. */
  set limits(limits: AllowanceLimits) {
    if (limits.perMs !== this.#limits.perMs) {
      this.#total = new SlidingCount(limits.perMs)
      this.#services.clear()
      this.#prefixes.clear()
    }
    this.#limits = limits
  }

  /** The limits, and how much of them is used; a share without a limit counts nothing. */
  usedAt(nowMs: number): AllowanceUse {
    const services = [...this.#services].map(([name, count]) => ({ name, used: count.at(nowMs) }))
    return {
      limits: this.#limits,
      total: this.#total.at(nowMs),
      services: services.filter(({ used }) => used > 0),
    }
  }

  /** Address prefixes and services that are remembered. */
  get size(): number {
    return this.#prefixes.size + this.#services.size
  }

  /** Takes one invoice from the shares of `address`, of `service` (its name) and of the hub, or from none. */
  take(address: string, service: string, nowMs: number): AllowanceVerdict {
    const { perMs, perAddress, perService, total } = this.#limits
    const prefix = addressPrefix(address, PREFIX_BITS.v4, PREFIX_BITS.v6)
    const ofPrefix = this.#prefixes.get(prefix) ?? new SlidingCount(perMs)
    const ofService = this.#services.get(service) ?? new SlidingCount(perMs)
    const shares = [
      { scope: 'address', count: ofPrefix, max: perAddress },
      { scope: 'service', count: ofService, max: perService },
      { scope: 'total', count: this.#total, max: total },
    ] as const
    const limited = shares.filter(({ max }) => max > 0)
    const used = limited.filter(({ count, max }) => count.at(nowMs) >= max)
    const [first] = used
    if (first) {
      const waits = used.map(({ count, max }) => count.belowMs(max, nowMs))
      return { granted: false, retryAfterMs: Math.max(...waits), scope: first.scope }
    }
    const undo = limited.map(({ count }) => count.add(nowMs))
    if (perService > 0) this.#remember(this.#services, service, ofService, nowMs)
    if (perAddress > 0) this.#remember(this.#prefixes, prefix, ofPrefix, nowMs)
    return { granted: true, giveBack: () => undo.forEach((step) => step()) }
  }

  #remember(counts: Map<string, SlidingCount>, key: string, count: SlidingCount, nowMs: number) {
    counts.delete(key)
    counts.set(key, count)
    // Two are looked at for each one that comes, so what is over and done with goes faster than it grows.
    let looked = 0
    for (const [oldest, other] of counts) {
      if (looked++ === 2) return
      if (other.at(nowMs) === 0 || counts.size > MAX_PREFIXES) counts.delete(oldest)
    }
  }
}
