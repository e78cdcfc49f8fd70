/** What the hub as a whole shows to Prometheus: version, connections, nodes, certificate. */
import { X509Certificate } from 'node:crypto'
import { Gauge, type Registry } from 'prom-client'
import type { InvoiceHealth } from '../invoices.ts'
import { VERSION } from '../version.ts'

/** What is read when the figures are asked for. */
export interface HubFigures {
  /** Open connections at the port. */
  readonly connections: () => number
  /** `undefined` when this hub sells nothing. */
  readonly nodes: () => readonly InvoiceHealth[] | undefined
  /** In PEM; `undefined` in cleartext. */
  readonly certificate: () => string | undefined
}

const STATES: readonly InvoiceHealth['state'][] = ['ready', 'connecting', 'away']
const SECOND_MS = 1_000

/** Registers the figures. */
export function registerHub(figures: HubFigures, registry: Registry): void {
  const shared = { registers: [registry] }
  new Gauge({
    ...shared,
    name: 'pinhole_build_info',
    help: '1, with the version',
    labelNames: ['version'],
  }).set({ version: VERSION }, 1)
  new Gauge({
    ...shared,
    name: 'pinhole_connections',
    help: 'open connections of clients',
    collect() {
      this.set(figures.connections())
    },
  })
  new Gauge({
    ...shared,
    name: 'pinhole_node_state',
    help: '1 for the state that a node is in, 0 for the others',
    labelNames: ['node', 'state'],
    collect() {
      this.reset()
      for (const { node, state } of figures.nodes() ?? []) {
        for (const one of STATES) this.set({ node, state: one }, Number(one === state))
      }
    },
  })
  new Gauge({
    ...shared,
    name: 'pinhole_certificate_expiry_timestamp_seconds',
    help: 'when the certificate of the port ends, in seconds since 1970; 0 without one',
    collect() {
      const pem = figures.certificate()
      this.set(pem === undefined ? 0 : Date.parse(new X509Certificate(pem).validTo) / SECOND_MS)
    },
  })
}
