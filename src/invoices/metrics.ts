/** Shows what the invoices count to Prometheus. Labels are the names of the hub's nodes and closed sets. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Meter, NodeFigures } from './meter.ts'

/** Seconds: a node on the same machine, a node behind a relay, a node in trouble. */
const WAIT_BUCKETS = [0.005, 0.025, 0.1, 0.3, 1, 3, 10]

type ByNode = ReadonlyMap<string, number | boolean>

/** What is read when the figures are asked for. */
export interface InvoiceGauges {
  readonly meter: Meter
  /** Invoices that are ready, by node. */
  readonly ready: () => ByNode
  /** Whether the stream of each node's invoices is open. */
  readonly subscribed: () => ByNode
}

/** Registers the figures. */
export function registerMetrics(figures: InvoiceGauges, registry: Registry): void {
  const { meter, ready, subscribed } = figures
  gauge(registry, 'pinhole_invoices_ready', 'invoices made ahead that nobody has yet', ready)
  gauge(registry, 'pinhole_invoice_stream_open', '1 while settlements are heard', subscribed)
  const counter = counterOf(registry, meter)
  counter('pinhole_invoices_made_total', 'invoices that nodes have made', (of) => of.made)
  counter('pinhole_invoices_settled_total', 'invoices paid', (of) => of.settled)
  counter('pinhole_invoice_streams_total', 'streams of settlements begun', (of) => of.streams)
  const labelled = labelledOf(registry, meter)
  labelled('pinhole_invoices_given_total', 'invoices given to requests', 'from', (of) => of.given)
  const failures = 'invoices not made, kept or given'
  labelled('pinhole_invoice_failures_total', failures, 'reason', (of) => of.failures)
  const waits = new Histogram({
    name: 'pinhole_invoice_wait_seconds',
    help: 'time that requests waited which found no invoice ready',
    labelNames: ['node'],
    buckets: WAIT_BUCKETS,
    registers: [registry],
  })
  meter.onWait = (node, ms) => waits.observe({ node }, ms / 1_000)
}

function gauge(registry: Registry, name: string, help: string, values: () => ByNode): void {
  new Gauge({
    name,
    help,
    labelNames: ['node'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [node, value] of values()) this.set({ node }, Number(value))
    },
  })
}

const counterOf =
  (registry: Registry, { nodes }: Meter) =>
  (name: string, help: string, value: (of: NodeFigures) => number): void => {
    new Counter({
      name,
      help,
      labelNames: ['node'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [node, figures] of nodes) this.inc({ node }, value(figures))
      },
    })
  }

const labelledOf =
  (registry: Registry, { nodes }: Meter) =>
  (
    name: string,
    help: string,
    label: string,
    values: (of: NodeFigures) => Readonly<Record<string, number>>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: ['node', label],
      registers: [registry],
      collect() {
        this.reset()
        for (const [node, figures] of nodes) {
          for (const [key, value] of Object.entries(values(figures))) {
            this.inc({ node, [label]: key }, value)
          }
        }
      },
    })
  }
