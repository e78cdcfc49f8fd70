/** The registry: what carries out each operation of the contract. */
import type { CheckedRequestOf, HubEvent, OperationName, ResponseOf, Scope } from './contract.ts'
import type { AdminDeps } from './deps.ts'
import { doctorOperations } from './operations/doctor.ts'
import { configOperations } from './operations/config.ts'
import { decodeOperations } from './operations/decode.ts'
import { eventOperations } from './operations/events.ts'
import { exportOperations } from './operations/export.ts'
import { infoOperations } from './operations/info.ts'
import { nodeOperations } from './operations/nodes.ts'
import { metricsOperations } from './operations/metrics.ts'
import { markOperations } from './operations/marks.ts'
import { salesOperations } from './operations/sales.ts'
import { stockOperations } from './operations/stock.ts'
import { seriesOperations } from './operations/series.ts'
import { tryOperations } from './operations/try.ts'
import { serviceOperations } from './operations/services.ts'

/** Who asks. */
export interface Caller {
  readonly scopes: ReadonlySet<Scope>
  /** In hex, the one that opened this; `undefined` for who needs none. */
  readonly macaroon?: string | undefined
  /** In its one spelling. */
  readonly address: string
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
}

/** What an operation gives back: one value, what happens as it happens, or text a part at a time. */
export type AnswerOf<Name extends OperationName> = Name extends 'streamEvents'
  ? AsyncIterable<HubEvent>
  : Name extends 'exportTransactions'
    ? AsyncIterable<string>
    : ResponseOf<Name>

/** Operations by name. All reject with `PinholeError`. */
export type Operations = {
  readonly [Name in OperationName]: (
    request: CheckedRequestOf<Name>,
    caller: Caller,
  ) => Promise<AnswerOf<Name>>
}

/** Those that this hub has. */
export const hubOperations = (deps: AdminDeps): Partial<Operations> => ({
  ...infoOperations(deps),
  ...metricsOperations(deps),
  ...serviceOperations(deps),
  ...salesOperations(deps),
  ...nodeOperations(deps),
  ...doctorOperations(deps),
  ...eventOperations(deps),
  ...seriesOperations(deps),
  ...exportOperations(deps),
  ...markOperations(deps),
  ...decodeOperations(deps),
  ...stockOperations(deps),
  ...configOperations(deps),
  ...tryOperations(deps),
})
