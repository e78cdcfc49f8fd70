/** Everything that is ever written while a hub runs, as plain values that go to the writer's thread. */
import type { NewToken } from '../../proxy/token-store.ts'
import type { InvoiceIndexes } from '../invoices/node.ts'
import type { PooledInvoice } from '../invoices/pool-store.ts'
import type { NodeRow } from './node-rows.ts'
import type { ServicePrice, ServiceRow } from './service-rows.ts'

/** One write. Each counts what it changed; times are milliseconds since 1970. */
export type Write =
  | { readonly name: 'sell'; readonly token: NewToken }
  | { readonly name: 'paid'; readonly identifierHash: Uint8Array; readonly atMs: number }
  | { readonly name: 'mark'; readonly id: number; readonly test: boolean }
  | { readonly name: 'settle'; readonly paymentHash: Uint8Array; readonly atMs: number }
  | { readonly name: 'revoke'; readonly identifierHash: Uint8Array }
  | { readonly name: 'prune unpaid'; readonly createdBeforeMs: number; readonly limit: number }
  | { readonly name: 'pool'; readonly invoice: PooledInvoice }
  | { readonly name: 'drop price'; readonly node: string; readonly amountMsat: bigint }
  | { readonly name: 'prune expired'; readonly nowMs: number }
  | { readonly name: 'index'; readonly node: string; readonly indexes: InvoiceIndexes }
  | { readonly name: 'put node'; readonly row: NodeRow; readonly was: NodeRow | undefined }
  | { readonly name: 'remove node'; readonly node: string }
  | { readonly name: 'drop node'; readonly node: string }
  | { readonly name: 'adopted'; readonly id: Uint8Array }
  | {
      readonly name: 'put service'
      readonly row: ServiceRow
      readonly prices: readonly ServicePrice[]
    }
  | { readonly name: 'drop service'; readonly service: string }
  | { readonly name: 'note prices'; readonly prices: readonly ServicePrice[] }

/** What became of one write of a batch that was committed. */
export type Outcome =
  | { readonly name: 'done'; readonly changes: number }
  | { readonly name: 'refused'; readonly code: string; readonly message: string }

/** `bytes` alone: a copy to another thread takes all of the memory that a view looks at. */
export const own = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
