/**
 * What the paywall counts, as plain numbers; `meter-metrics.ts` shows them to Prometheus. All keys are names of
 * services and closed sets: nothing that a client sends makes another.
 */
import { Buckets } from './buckets.ts'
import type { Outcome } from './forward/passage.ts'
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

/** Counts of one service. */
export class ServiceFigures {
  /** From arrival to the last byte of the answer, by how the request ended. */
  readonly seconds = new Map<Counted, Buckets>()
  /** Forwarded requests that have not ended. */
  inFlight = 0

  /** One request has taken so long. */
  took(outcome: Counted, seconds: number): void {
    let buckets = this.seconds.get(outcome)
    if (!buckets) this.seconds.set(outcome, (buckets = new Buckets()))
    buckets.add(seconds)
  }
}

/** Counts by service, all of whose values come from the configuration. */
export class Meter {
  readonly requests = new Counts()
  /** Forwarded requests by what came of them. */
  readonly forwarded = new Counts()
  readonly allowed = new Counts()
  readonly denied = new Counts()
  readonly services = new Map<string, ServiceFigures>()

  /** One request of `service` has been decided on. */
  count(service: string, outcome: Counted): void {
    this.requests.add(service, outcome)
  }

  /** The figures of `service`, to be changed. */
  of(service: string): ServiceFigures {
    let figures = this.services.get(service)
    if (!figures) this.services.set(service, (figures = new ServiceFigures()))
    return figures
  }

  /** A forwarded request of `service` has ended so. */
  ended(service: string, outcome: Outcome): void {
    this.forwarded.add(service, resultOf(outcome))
  }

  /** One question to the rate limits of `service` that are for `path`. As in Aperture all of them count. */
  rate(service: Service, path: string, allowed: boolean): void {
    const counts = allowed ? this.allowed : this.denied
    for (const { path: pattern } of service.rateLimits) {
      if (!pattern || pattern.test(path)) counts.add(service.name, pattern?.source ?? '')
    }
  }
}

const CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

function resultOf(outcome: Outcome): string {
  if (outcome.name === 'failed') return outcome.error.code
  if (outcome.name === 'abandoned') return 'client_gone'
  return CLASSES[Math.trunc(outcome.status / 100)] ?? 'other'
}
