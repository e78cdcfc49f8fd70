/** The paywall for a server of one's own. The package export `pinhole/proxy`. */
export type { Clock } from '../src/base/clock.ts'
export type { Log } from '../src/base/log.ts'
export {
  Allowance,
  type AllowanceLimits,
  type AllowanceUse,
  type AllowanceVerdict,
} from './allowance.ts'
export type { ChallengeLayout } from './answer-payment.ts'
export { parseTrusted, type TrustedProxies } from './client-address.ts'
export type { FastPath } from './fast-path/fast-path.ts'
export { Freebies } from './freebie.ts'
export type { Invoice, InvoiceBackend, InvoiceRequest } from './invoice-backend.ts'
export type { Counted } from './meter.ts'
export type { PaywallOptions } from './options.ts'
export { paywall } from './plugin.ts'
export { fixedPricer, type Pricer, type PriceRequest } from './pricer.ts'
export { RateLimiter, type RateVerdict } from './rate-limit.ts'
export type { Snapshot } from './route.ts'
export type { Auth, Pattern, RateLimit, Service, Upstream, UpstreamTimeouts } from './service.ts'
export type { Request } from './target.ts'
export type { NewToken, TokenStore } from './token-store.ts'
export type { Tracing } from './tracing.ts'
