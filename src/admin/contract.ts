/**
 * The admin API, said once. gRPC, REST and its OpenAPI document, the typed client, the command line, MCP and the
 * console all come from here. The first ten are Aperture's, with its messages and paths (docs/aperture.md).
 */
import { z } from 'zod'
import * as hub from './contract/hub.ts'
import { operation, type Operation } from './contract/operation.ts'
import * as sale from './contract/sale.ts'
import * as services from './contract/service.ts'
import { flag, int64, page, shaped, time } from './contract/values.ts'

export type { Operation, Scope } from './contract/operation.ts'
export { HIDDEN } from './contract/service.ts'

const nothing = z.strictObject({})
const named = z.strictObject({ name: z.string() })
const status = z.object({ status: z.string() })
/** Of a request that the hub makes. */
const PATH = shaped('^/[!-~]{0,8000}$').default('/')

/** Every operation, by name. */
export const operations = {
  getInfo: operation({
    scope: 'read',
    method: 'GET',
    path: '/info',
    request: nothing,
    response: hub.info,
    summary: 'What this hub is and where it listens',
  }),
  getHealth: operation({
    scope: 'none',
    method: 'GET',
    path: '/health',
    request: nothing,
    response: status,
    summary: 'Whether the hub answers',
  }),
  listServices: operation({
    scope: 'read',
    method: 'GET',
    path: '/services',
    request: nothing,
    response: z.object({ services: z.array(services.service) }),
    summary: 'All services, in the order in which they are tried',
  }),
  createService: operation({
    scope: 'write',
    method: 'POST',
    path: '/services',
    request: services.createService,
    response: services.service,
    summary: 'Adds a service',
  }),
  updateService: operation({
    scope: 'write',
    method: 'PUT',
    path: '/services/{name}',
    request: services.updateService,
    response: services.service,
    summary: 'Changes a service; what is left out stays',
  }),
  deleteService: operation({
    scope: 'write',
    method: 'DELETE',
    path: '/services/{name}',
    request: z.strictObject({ name: z.string(), dry_run: flag.optional() }),
    response: status,
    summary: 'Removes a service; its tokens open nothing any more',
  }),
  listTransactions: operation({
    scope: 'read',
    method: 'GET',
    path: '/transactions',
    request: sale.listTransactions,
    response: sale.transactionList,
    summary: 'Offers and payments, newest first',
  }),
  listTokens: operation({
    scope: 'read',
    method: 'GET',
    path: '/tokens',
    request: z.strictObject({ ...page, search: z.string().max(64).optional() }),
    response: sale.tokenList,
    summary: 'Paid tokens, newest first',
  }),
  revokeToken: operation({
    scope: 'write',
    method: 'DELETE',
    path: '/tokens/{token_id}',
    request: z.strictObject({ token_id: sale.tokenId, dry_run: flag.optional() }),
    response: status,
    summary: 'Revokes a token: its next use draws a new 402',
  }),
  getStats: operation({
    scope: 'read',
    method: 'GET',
    path: '/stats',
    request: z.strictObject({ ...sale.span, exclude_test: flag.optional() }),
    response: sale.stats,
    summary: 'Income in all and by service',
  }),

  getService: operation({
    scope: 'read',
    method: 'GET',
    path: '/services/{name}',
    request: named,
    response: services.service,
    summary: 'One service',
  }),
  listPrices: operation({
    scope: 'read',
    method: 'GET',
    path: '/services/{name}/prices',
    request: named,
    response: z.object({ prices: z.array(services.priceChange) }),
    summary: 'The prices that a service had, newest first',
  }),
  tryService: operation({
    scope: 'pay',
    method: 'POST',
    path: '/services/{name}/try',
    request: z.strictObject({
      name: z.string(),
      path: PATH,
      method: shaped('^[A-Z]{1,16}$').default('GET'),
      /** Pay the invoice from a node of this hub, up to so many satoshis; without it the 402 is shown only. */
      max_sats: int64.optional(),
      node: z.string().default(''),
      /** Of an answer before: ask with what was paid for it since, from any wallet. */
      challenge: z.string().max(16_384).default(''),
    }),
    response: z.object({
      status: z.int(),
      challenge: z.string(),
      invoice: z.string(),
      price_sats: int64,
      /** Of the last answer. */
      headers: z.record(z.string(), z.string()),
      /** The first 64 KiB of the last answer, as text. */
      body: z.string(),
      paid: z.boolean(),
    }),
    summary: 'Asks a service as a client would, and pays if told to',
  }),
  testUpstream: operation({
    scope: 'write',
    method: 'POST',
    path: '/upstreams/test',
    request: z.strictObject({
      address: z.string(),
      protocol: services.protocol.default('http'),
      tls_cert_path: z.string().default(''),
      tls_insecure: z.boolean().default(false),
      path: PATH,
    }),
    response: z.object({
      reachable: z.boolean(),
      status: z.int(),
      latency_ms: z.number(),
      reason: z.string(),
    }),
    summary: 'Asks an upstream whether it answers',
  }),
  exportTransactions: operation({
    scope: 'read',
    method: 'GET',
    path: '/transactions.csv',
    request: sale.listTransactions,
    response: z.string(),
    answer: 'csv',
    summary: 'Offers and payments as CSV, without a limit',
  }),
  markTransaction: operation({
    scope: 'write',
    method: 'PATCH',
    path: '/transactions/{id}',
    request: z.strictObject({ id: z.coerce.number().int(), test: z.boolean() }),
    response: sale.transaction,
    summary: "Marks a payment as a test of one's own, or not",
  }),
  decodeToken: operation({
    scope: 'read',
    method: 'POST',
    path: '/tokens/decode',
    request: z.strictObject({
      /** An Authorization header, or a macaroon in base64 or hex. */
      credential: z.string().max(65_536),
      service: z.string().default(''),
    }),
    response: sale.decodedToken,
    summary: 'What a credential says, and whether it is good',
  }),
  getSeries: operation({
    scope: 'read',
    method: 'GET',
    path: '/series',
    request: z.strictObject({
      ...sale.span,
      step_seconds: z.coerce.number().int().min(60).max(31_536_000).default(3_600),
      exclude_test: flag.optional(),
    }),
    response: z.object({ points: z.array(sale.seriesPoint), funnel: sale.funnel }),
    summary: 'Offers, payments and income over time, by service',
  }),

  listNodes: operation({
    scope: 'read',
    method: 'GET',
    path: '/nodes',
    request: nothing,
    response: z.object({ nodes: z.array(hub.node) }),
    summary: 'The nodes and the state of their connections',
  }),
  pairNode: operation({
    scope: 'write',
    method: 'POST',
    path: '/nodes',
    request: hub.pairNode,
    response: hub.nodeReport,
    summary: 'Pairs a node by its ten words',
  }),
  testNode: operation({
    scope: 'read',
    method: 'POST',
    path: '/nodes/{name}/test',
    request: named,
    response: hub.nodeReport,
    summary: 'Asks a node who it is, what the session may do and what it can receive',
  }),
  reconnectNode: operation({
    scope: 'write',
    method: 'POST',
    path: '/nodes/{name}/reconnect',
    request: named,
    response: status,
    summary: 'Drops the connection to a node and makes a new one',
  }),
  removeNode: operation({
    scope: 'write',
    method: 'DELETE',
    path: '/nodes/{name}',
    request: z.strictObject({ name: z.string(), dry_run: flag.optional() }),
    response: status,
    summary: 'Forgets a node and its keys',
  }),

  getRelay: operation({
    scope: 'read',
    method: 'GET',
    path: '/relay',
    request: nothing,
    response: hub.relay,
    summary: 'Boxes, throughput and refusals of the relay',
  }),
  listPool: operation({
    scope: 'read',
    method: 'GET',
    path: '/pool',
    request: nothing,
    response: z.object({ prices: z.array(hub.pooledPrice) }),
    summary: 'Invoices made ahead',
  }),
  getAllowances: operation({
    scope: 'read',
    method: 'GET',
    path: '/allowances',
    request: nothing,
    response: hub.allowances,
    summary: 'How many unpaid invoices may be made, and how many were',
  }),
  runDoctor: operation({
    scope: 'read',
    method: 'GET',
    path: '/doctor',
    request: z.strictObject({ reconcile: flag.optional() }),
    response: z.object({ findings: z.array(hub.finding) }),
    summary: 'Checks everything that can be wrong and says what to do',
  }),
  getMetrics: operation({
    scope: 'read',
    method: 'GET',
    path: '/metrics',
    request: nothing,
    response: z.string(),
    answer: 'text',
    summary: 'Every figure that is counted, in the text format of Prometheus',
  }),
  listLogs: operation({
    scope: 'read',
    method: 'GET',
    path: '/logs',
    request: z.strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      limit: z.coerce.number().int().min(1).max(1_000).default(200),
      /** The `cursor` of an earlier answer: the first lines after it, in place of the newest ones. */
      after: z.string().max(100).default(''),
    }),
    response: z.object({
      /** Newest first. */
      lines: z.array(hub.logLine),
      /** To go on from; it begins otherwise once the hub was started anew. */
      cursor: z.string().default(''),
    }),
    summary: 'The newest lines of the log, or those after a cursor',
  }),
  streamEvents: operation({
    scope: 'read',
    method: 'GET',
    path: '/events',
    request: nothing,
    response: hub.hubEvent,
    answer: 'events',
    summary: 'What happens, as it happens',
  }),
  exportConfig: operation({
    scope: 'read',
    method: 'GET',
    path: '/config',
    request: nothing,
    response: z.string(),
    answer: 'yaml',
    summary: 'The configuration that the hub runs by, services and all, without secrets',
  }),
  validateConfig: operation({
    scope: 'read',
    method: 'POST',
    path: '/config/validate',
    request: z.strictObject({ yaml: z.string().max(1_048_576) }),
    response: z.object({
      valid: z.boolean(),
      problems: z.array(z.object({ text: z.string(), line: z.int(), column: z.int() })),
    }),
    summary: 'Whether a configuration would be taken',
  }),
  createLoginLink: operation({
    scope: 'write',
    method: 'POST',
    path: '/login',
    request: nothing,
    response: z.object({
      /** Of this hub, with a code that works once; to be opened in a browser. */
      path: z.string(),
      expires_at: time,
    }),
    summary: 'Makes a link that logs one browser in to the console, once',
  }),
  backup: operation({
    scope: 'write',
    method: 'POST',
    path: '/backup',
    request: nothing,
    response: z.object({ file: z.string(), bytes: z.int() }),
    summary: 'Copies the database, while it is used, into the folder backups of basedir',
  }),
} as const satisfies Readonly<Record<string, Operation>>

/** Name of an operation. */
export type OperationName = keyof typeof operations

/** What a caller gives. */
export type RequestOf<Name extends OperationName> = z.input<(typeof operations)[Name]['request']>

/** What an implementation gets: checked, with defaults. */
export type CheckedRequestOf<Name extends OperationName> = z.output<
  (typeof operations)[Name]['request']
>

/** What comes back. */
export type ResponseOf<Name extends OperationName> = z.output<(typeof operations)[Name]['response']>

/** A service, a transaction, a node … as they come back. */
export type Service = z.output<typeof services.service>
export type Transaction = z.output<typeof sale.transaction>
export type Node = z.output<typeof hub.node>
export type NodeReport = z.output<typeof hub.nodeReport>
export type Finding = z.output<typeof hub.finding>
export type HubEvent = z.output<typeof hub.hubEvent>
export type LogLine = z.output<typeof hub.logLine>

/** Where the REST paths begin. */
export const REST_PREFIX = '/api/admin'
/** Aperture's name of the gRPC service. */
export const GRPC_SERVICE = 'adminrpc.Admin'
