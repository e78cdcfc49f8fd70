/**
 * How often a client may ask one service (`ratelimits`): token buckets that fill as those of Go's
 * `x/time/rate`. Unlike there, a request that one rule refuses costs no other rule a token, and two rules
 * with the same pattern have a bucket each. Pure: the caller passes the time.
 */
import { LRUCache } from 'lru-cache'
import type { RateLimit, Service } from './service.ts'

/** Buckets kept for a service, as in Aperture; the one that was used longest ago goes first. */
const MAX_BUCKETS = 10_000

/** Whether a request may go on. */
export type RateVerdict =
  { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number }

/**
 * A bucket is when it will be full again, in milliseconds. One number, exact however small the steps are,
 * and a clock that goes back fills nothing.
 */
type FullAtMs = number

/** Rounding may not refuse a client that came back when it was told to. */
const TOLERANCE_MS = 0.001

interface Rule {
  readonly limit: RateLimit
  /** The same after a reload that leaves the rule as it is. */
  readonly id: string
}

const ALLOWED: RateVerdict = Object.freeze({ allowed: true })

function rulesOf(service: Service): Rule[] {
  const seen = new Map<string, number>()
  return service.rateLimits.map((limit) => {
    const { path, requests, perMs, burst } = limit
    const text = JSON.stringify([path?.source ?? '', requests, perMs, burst])
    const twin = seen.get(text) ?? 0
    seen.set(text, twin + 1)
    return { limit, id: `${twin}${text}` }
  })
}

/** The buckets of all services; outlives reloads. */
export class RateLimiter {
  readonly #rules = new WeakMap<Service, readonly Rule[]>()
  readonly #buckets = new Map<string, LRUCache<string, FullAtMs>>()
  readonly #evicted = new Map<string, number>()

  /**
   * Takes a token from every rule of `service` that is for `path` (decoded), or from none. `key` names the
   * client: `token:<id>` or `ip:<prefix>`. `retryAfterMs` is when every rule would let it pass.
   */
  check(service: Service, path: string, key: string, nowMs: number): RateVerdict {
    if (service.rateLimits.length === 0) return ALLOWED
    const buckets = this.#bucketsOf(service)
    const taken: [string, FullAtMs][] = []
    let retryAfterMs = 0
    for (const { limit, id } of this.#rulesOf(service)) {
      if (limit.path && !limit.path.test(path)) continue
      const bucket = `${id} ${key}`
      const tokenMs = limit.perMs / limit.requests
      const fullAtMs = Math.max(buckets.get(bucket) ?? nowMs, nowMs) + tokenMs
      retryAfterMs = Math.max(retryAfterMs, fullAtMs - limit.burst * tokenMs - nowMs)
      taken.push([bucket, fullAtMs])
    }
    if (retryAfterMs > TOLERANCE_MS) return { allowed: false, retryAfterMs }
    for (const [bucket, fullAtMs] of taken) buckets.set(bucket, fullAtMs)
    return ALLOWED
  }

  /** Buckets that are kept. */
  get size(): number {
    let size = 0
    for (const buckets of this.#buckets.values()) size += buckets.size
    return size
  }

  /** Buckets of each service that has had some. */
  *sizes(): Generator<readonly [service: string, buckets: number]> {
    for (const name of this.#evicted.keys()) yield [name, this.#buckets.get(name)?.size ?? 0]
  }

  /** How many buckets of each service had to make room for others. */
  get evicted(): ReadonlyMap<string, number> {
    return this.#evicted
  }

  /** Forgets full buckets, which are as good as none; to be called now and then. */
  prune(nowMs: number): void {
    for (const [service, buckets] of this.#buckets) {
      for (const [bucket, fullAtMs] of buckets) if (fullAtMs <= nowMs) buckets.delete(bucket)
      if (buckets.size === 0) this.#buckets.delete(service)
    }
  }

  #rulesOf(service: Service): readonly Rule[] {
    const known = this.#rules.get(service)
    if (known) return known
    const rules = rulesOf(service)
    this.#rules.set(service, rules)
    return rules
  }

  #bucketsOf({ name }: Service): LRUCache<string, FullAtMs> {
    const known = this.#buckets.get(name)
    if (known) return known
    const dispose = (_at: FullAtMs, _bucket: string, reason: LRUCache.DisposeReason): void => {
      if (reason === 'evict') this.#evicted.set(name, (this.#evicted.get(name) ?? 0) + 1)
    }
    const buckets = new LRUCache<string, FullAtMs>({ max: MAX_BUCKETS, dispose })
    this.#buckets.set(name, buckets)
    this.#evicted.set(name, this.#evicted.get(name) ?? 0)
    return buckets
  }
}
