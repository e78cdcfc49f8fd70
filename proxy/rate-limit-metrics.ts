/** How full the rate limits are, as Prometheus sees it. The names are Aperture's. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { RateLimiter } from './rate-limit.ts'

/** Registers the figures of `limits`; they are read when they are asked for. */
export function registerRateLimits(limits: RateLimiter, registry: Registry): void {
  const shared = { labelNames: ['service'], registers: [registry] }
  new Gauge({
    ...shared,
    name: 'aperture_ratelimit_cache_size',
    help: 'clients whose rates are remembered',
    collect() {
      for (const [service, size] of limits.sizes()) this.set({ service }, size)
    },
  })
  new Counter({
    ...shared,
    name: 'aperture_ratelimit_evictions_total',
    help: 'clients forgotten to make room for others',
    collect() {
      this.reset()
      for (const [service, count] of limits.evicted) this.inc({ service }, count)
    },
  })
}
