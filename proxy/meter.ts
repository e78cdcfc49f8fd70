/** What the paywall counts, and how Prometheus sees it. The names that begin with aperture are Aperture's. */
import { Counter, type Registry } from 'prom-client'
import type { Service } from './service.ts'

/** How a request ended at the paywall: the label `outcome`. */
export type Counted =
  | 'open'
  | 'paid'
  | 'unpaid'
  | 'preflight'
  | 'blocked'
  | 'bad_path'
  | 'no_service'
  | 'unauthorized'
  | 'rate_limited'
  | 'allowance'
  | 'no_invoice'
  | 'error'

/** Label of requests that no service matched. Services have names, so none is called so. */
export const NO_SERVICE = ''

class Counts {
  readonly #counts = new Map<string, Map<string, number>>()

  add(first: string, second: string): void {
    let inner = this.#counts.get(first)
    if (!inner) this.#counts.set(first, (inner = new Map<string, number>()))
    inner.set(second, (inner.get(second) ?? 0) + 1)
  }

  *[Symbol.iterator](): Generator<readonly [first: string, second: string, count: number]> {
    for (const [first, inner] of this.#counts) {
      for (const [second, count] of inner) yield [first, second, count]
    }
  }
}

/** Counts by service, all of whose values come from the configuration. */
export class Meter {
  readonly requests = new Counts()
  readonly allowed = new Counts()
  readonly denied = new Counts()

  /** One request of `service`. */
  count(service: string, outcome: Counted): void {
    this.requests.add(service, outcome)
  }

  /** One question to the rate limits of `service` that are for `path`. As in Aperture all of them count. */
  rate(service: Service, path: string, allowed: boolean): void {
    const counts = allowed ? this.allowed : this.denied
    for (const { path: pattern } of service.rateLimits) {
      if (!pattern || pattern.test(path)) counts.add(service.name, pattern?.source ?? '')
    }
  }
}

/** Registers what `meter` counts; it is read when it is asked for. */
export function registerMeter(meter: Meter, registry: Registry): void {
  const show = (name: string, help: string, label: string, counts: Counts): void => {
    new Counter({
      name,
      help,
      labelNames: ['service', label],
      registers: [registry],
      collect() {
        this.reset()
        for (const [service, value, count] of counts) this.inc({ service, [label]: value }, count)
      },
    })
  }
  show('pinhole_requests_total', 'requests at the paywall', 'outcome', meter.requests)
  const pattern = 'path_pattern'
  show('aperture_ratelimit_allowed_total', 'passed a rate limit', pattern, meter.allowed)
  show('aperture_ratelimit_denied_total', 'refused by a rate limit', pattern, meter.denied)
}
