/** What a paywall is made of. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Clock } from '../src/base/clock.ts'
import { checkKinds, FUNCTION, type Kind, withMethods } from '../src/base/kinds.ts'
import type { Log } from '../src/base/log.ts'
import type { Allowance } from './allowance.ts'
import type { FastPath } from './fast-path/fast-path.ts'
import type { PlainReply } from './fast-path/reply.ts'
import type { PlainRequest } from './fast-path/request.ts'
import type { Freebies } from './freebie.ts'
import type { InvoiceBackend } from './invoice-backend.ts'
import type { Counted } from './meter.ts'
import type { Pricer } from './pricer.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { Snapshot } from './route.ts'
import type { Request } from './target.ts'
import type { TokenStore } from './token-store.ts'
import type { Tracing } from './tracing.ts'

/** Collaborators of the paywall, and its settings. */
export interface PaywallOptions {
  /** Asked once for each request: a reload takes effect for the next one and waits for none. */
  readonly snapshot: () => Snapshot
  readonly invoices: InvoiceBackend
  readonly tokens: TokenStore
  readonly allowance: Allowance
  readonly freebies: Freebies
  readonly rateLimits: RateLimiter
  /** Most verified credentials that are remembered. */
  readonly rememberedTokens: number
  /** Without one, the prices that are written at the services. */
  readonly pricer?: Pricer | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** Where the paywall's figures are shown; without one they are not. */
  readonly registry?: Registry | undefined
  /** Paths whose upgrades another listener of the same server answers; without it there are none. */
  readonly ownPaths?: ((path: string) => boolean) | undefined
  /** Paths of routes beside the paywall: what asks for an upgrade there is for no service, and is refused. */
  readonly isOwnRoute?: ((path: string) => boolean) | undefined
  /** Told of each request, for the access log: whose it is, for which service (empty for none), how it ended here. */
  readonly onDecided?:
    | ((req: Request, address: string, service: string, outcome: Counted, id: string) => void)
    | undefined
  /** Adds what the hub's own routes have around them to that of the payment page. */
  readonly aroundPage?: ((page: FastifyInstance) => void) | undefined
  /** Where ordinary requests come by a shorter way than Fastify's. */
  readonly fastPath?: Pick<FastPath, 'serve'> | undefined
  /** Told of each request that comes by the fast path: no hook of Fastify sees those. */
  readonly onFastPath?: ((req: PlainRequest, reply: PlainReply, id: string) => void) | undefined
  /** Names the request of an upgrade, which Fastify does not; without it such have none. */
  readonly requestId?: ((req: Request) => string) | undefined
  readonly tracing?: Tracing | undefined
  /** Answers requests that are for no service; without it they get 404. */
  readonly unmatched?:
    | ((
        req: IncomingMessage | Http2ServerRequest,
        res: ServerResponse | Http2ServerResponse,
      ) => void)
    | undefined
  /** A client that takes nothing of a response for so long is cut, in milliseconds; 0 is never. */
  readonly writeTimeoutMs?: number | undefined
}

const KINDS: Readonly<Record<keyof Needed, Kind>> = {
  snapshot: FUNCTION,
  invoices: withMethods(['invoice', 'settled', 'preimage'], 'an InvoiceBackend'),
  tokens: withMethods(['add', 'rootKey', 'paid', 'onRevoked'], 'a TokenStore'),
  allowance: withMethods(['take'], 'such as new Allowance(limits)'),
  freebies: withMethods(['take', 'giveBack'], 'such as new Freebies()'),
  rateLimits: withMethods(['check'], 'such as new RateLimiter()'),
  rememberedTokens: {
    what: 'a whole number from 1 on',
    holds: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1,
  },
}

/** Those that may not be left out. */
type Needed = {
  [K in keyof PaywallOptions as undefined extends PaywallOptions[K] ? never : K]: true
}

/** Throws a `TypeError` that names what is missing or of another kind, before anything is served. */
export function checkPaywall(options: PaywallOptions): void {
  checkKinds(options, KINDS, Object.keys(KINDS))
}
