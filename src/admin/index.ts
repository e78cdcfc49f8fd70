/** `pinhole/admin`: a hub, operated by a program. */
export { bakeMacaroon, type MacaroonLimits } from './bake.ts'
export {
  type AdminClient,
  type AdminClientOptions,
  type CallOptions,
  createAdminClient,
} from './client.ts'
export {
  type Finding,
  HIDDEN,
  type HubEvent,
  type LogLine,
  type Node,
  type NodeReport,
  type Operation,
  type OperationName,
  operations,
  type RequestOf,
  type ResponseOf,
  type Scope,
  type Service,
  type Transaction,
} from './contract.ts'
export { type ErrorCode, PinholeError } from '../base/errors.ts'
