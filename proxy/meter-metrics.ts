/** Shows what the paywall counts to Prometheus. The names that begin with aperture are Aperture's. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type Buckets, REQUEST_SECONDS } from './buckets.ts'
import type { Meter } from './meter.ts'

type Triples = Iterable<readonly [first: string, second: string, count: number]>

/** Registers what `meter` counts; it is read when it is asked for. */
export function registerMeter(meter: Meter, registry: Registry): void {
  const show = (name: string, help: string, label: string, counts: Triples): void => {
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
  const forwarded = 'forwarded requests, by status or error'
  show('pinhole_forwarded_total', forwarded, 'result', meter.forwarded)
  const pattern = 'path_pattern'
  show('aperture_ratelimit_allowed_total', 'passed a rate limit', pattern, meter.allowed)
  show('aperture_ratelimit_denied_total', 'refused by a rate limit', pattern, meter.denied)
  registry.registerMetric(new RequestSeconds(meter))
  new Gauge({
    name: 'pinhole_requests_in_flight',
    help: 'forwarded requests that have not ended',
    labelNames: ['service'],
    registers: [registry],
    collect() {
      for (const [service, { inFlight }] of meter.services) this.set({ service }, inFlight)
    },
  })
}

const SECONDS = 'pinhole_request_duration_seconds'
const HELP = 'time to the last byte of the answer; upgraded connections are left out'

/** prom-client's own would join labels to a string for every request. */
class RequestSeconds extends Histogram<'service' | 'outcome'> {
  readonly #meter: Meter

  constructor(meter: Meter) {
    super({
      name: SECONDS,
      help: HELP,
      labelNames: ['service', 'outcome'],
      buckets: [...REQUEST_SECONDS],
      registers: [],
    })
    this.#meter = meter
  }

  // What the registry asks for text, and what `get` is made of.
  async getForPromString() {
    const values: Value[] = []
    for (const [service, { seconds }] of this.#meter.services) {
      for (const [outcome, buckets] of seconds) {
        for (const [metricName, le, value] of linesOf(buckets)) {
          const labels = { ...(le === undefined ? {} : { le }), service, outcome }
          values.push({ metricName, labels, value })
        }
      }
    }
    return { name: SECONDS, help: HELP, type: 'histogram', aggregator: 'sum', values }
  }
}

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

type Line = readonly [name: string, le: number | string | undefined, value: number]

/** Prometheus counts what is below each bound, not between two. */
function linesOf({ bounds, counts, sum }: Buckets): Line[] {
  let below = 0
  const lines: Line[] = bounds.map((bound, at) => {
    below += counts[at] ?? 0
    return [`${SECONDS}_bucket`, bound, below]
  })
  const all = below + (counts[bounds.length] ?? 0)
  lines.push([`${SECONDS}_bucket`, '+Inf', all])
  lines.push([`${SECONDS}_sum`, undefined, sum], [`${SECONDS}_count`, undefined, all])
  return lines
}
