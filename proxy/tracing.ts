/** How requests are followed in traces; the hub implements it where the user has loaded something that takes them. */
import type { Outcome } from './forward/passage.ts'
import type { Counted } from './meter.ts'
import type { Request } from './target.ts'

/** Begins to follow requests. */
export interface Tracing {
  /** `id` is the request's own in the logs. */
  begin(req: Request, id: string): Trace
}

/** Follows one request. */
export interface Trace {
  /** Runs a stage, and follows it until what it returns has settled. */
  stage<T>(name: 'gate' | 'pay' | 'forward', run: () => T): T
  /** Puts where the trace goes on into headers (names and values in turn) that go upstream. */
  onward(fields: string[]): void
  /** The request's service (empty for none), and how it ended at the paywall. */
  decided(service: string, outcome: Counted): void
  /** It is over. Calls after the first have no effect. */
  end(how: Ended): void
}

/** How a request that is followed is over. */
export type Ended =
  | Outcome
  /** The paywall answered it itself. */
  | { readonly name: 'answered'; readonly status: number }
  /** It could not be served. */
  | { readonly name: 'broken'; readonly error: unknown }
