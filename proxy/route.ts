/** The way to the gate: blocklist, preflights, the path, the service. In Aperture's order. */
import { PinholeError } from '../src/base/errors.ts'
import {
  ACCESS_DENIED,
  type Answer,
  NOT_FOUND,
  PREFLIGHT,
  problem,
  type Refusal,
} from './answer.ts'
import type { ChallengeLayout } from './answer-payment.ts'
import type { Arrival } from './arrival.ts'
import type { TrustedProxies } from './client-address.ts'
import { isAmbiguous, match } from './match.ts'
import type { Counted } from './meter.ts'
import type { Service } from './service.ts'
import { readTarget, type Target } from './target.ts'

/** The configuration as one request sees it from beginning to end; a reload puts another in its place. */
export interface Snapshot {
  readonly services: readonly Service[]
  /** Proxies whose `X-Forwarded-For` is believed (`trustproxy`). */
  readonly trusted: TrustedProxies
  /** Addresses that get 403 for everything (`blocklist`). */
  readonly blocked: { has(address: string): boolean }
  /** Whether a token opens only when the node has told that its invoice is settled. */
  readonly strictVerify: boolean
  /** Whether a credential that opens nothing draws 401 in place of 402 (`strict401`). */
  readonly strict401: boolean
  /** How the challenge of a 402 is laid out (`challengelayout`). */
  readonly challengeLayout: ChallengeLayout
}

/** A request that has its service. */
export interface Routed {
  readonly service: Service
  readonly target: Target
}

/** Where a request goes. */
export type Route =
  | (Routed & { readonly name: 'service' })
  | { readonly name: 'refused'; readonly refusal: Refusal }
  | { readonly name: 'answer'; readonly outcome: Counted; readonly answer: Answer }

/** Finds the service of a request, or why it goes no further. */
export function route({ address, req }: Arrival, snapshot: Snapshot): Route {
  if (snapshot.blocked.has(address)) return { name: 'refused', refusal: ACCESS_DENIED }
  const target = readTarget(req)
  if ('refused' in target) {
    return isPreflight(req) ? ANSWER_PREFLIGHT : refusePath(target.refused)
  }
  const service = match(snapshot.services, target)
  if (isPreflight(req) && !service?.forwardOptions) return ANSWER_PREFLIGHT
  if (isAmbiguous(snapshot.services, target)) return refusePath('the path can be read in two ways')
  if (!service) return { name: 'answer', outcome: 'no_service', answer: NOT_FOUND }
  return { name: 'service', service, target }
}

/** Every OPTIONS is taken for a browser's question before the request that it means (Aperture). */
export const isPreflight = ({ method }: { readonly method?: string | undefined }): boolean =>
  method === 'OPTIONS'

const ANSWER_PREFLIGHT: Route = { name: 'answer', outcome: 'preflight', answer: PREFLIGHT }

function refusePath(why: string): Route {
  const error = new PinholeError('ERR_REQUEST_PATH', why)
  return { name: 'refused', refusal: problem(error, 'bad_path') }
}
