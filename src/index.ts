/** Pinhole as a library: a hub in a program of one's own. LNC alone is `pinhole/lnc`. */
export { createHub, type Hub, type HubDeps } from './hub.ts'
export { type Config, loadConfig, type LoadOptions } from './config/load.ts'
export { type ErrorCode, PinholeError } from './base/errors.ts'
export type { Surroundings } from './config/expand.ts'
export type { InvoiceNode, NodeSource } from './invoices/node.ts'
export type { Clock } from './base/clock.ts'
export type { Log } from './base/log.ts'
