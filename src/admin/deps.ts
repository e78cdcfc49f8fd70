/** What the operations of the admin API work with. */
import type { Allowance } from '../../proxy/allowance.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/load.ts'
import type { Invoices } from '../invoices.ts'
import type { LogLines } from '../log-lines.ts'
import type { Metrics } from '../metrics.ts'
import type { Nodes } from '../nodes/nodes.ts'
import type { ServiceBook } from '../selling/service-book.ts'
import type { Store } from '../store/store.ts'
import type { HubEvents } from './hub-events.ts'
import type { UseCounts } from './use-counts.ts'

/** The parts of a running hub. */
export interface AdminDeps {
  /** As it was read last. */
  readonly config: () => Config
  readonly clock: Clock
  readonly log: Log
  readonly store: Store
  /** `undefined` when the program that made the hub gave it nodes that can only be asked for invoices. */
  readonly nodes: Nodes | undefined
  readonly invoices: Invoices
  readonly services: ServiceBook
  readonly allowance: Allowance
  readonly metrics: Metrics
  /** The newest lines of the log. */
  readonly logLines: LogLines
  readonly events: HubEvents
  /** Paid requests that were served. */
  readonly uses: UseCounts
  /** URL of the port once it is bound. */
  readonly address: () => string | undefined
  /** The same of the port that the admin API is served at. */
  readonly adminAddress: () => string | undefined
  /** When the hub was made, on the clock that never goes back. */
  readonly startedMs: number
}
