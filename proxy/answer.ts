/**
 * What the paywall answers by itself, as values: Aperture's statuses and texts, and problem details (RFC 9457)
 * for what Aperture does not know. A gRPC client is always answered with HTTP 200 and trailers only, for a
 * plain HTTP status reaches it as "unknown" and takes the challenge away with it.
 */
import { GrpcCode, PinholeError } from '../src/base/errors.ts'
import { CORS_HEADERS, type Headers } from './cors.ts'
import type { Counted } from './meter.ts'

/** One answer, ready to be sent. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Empty for none. */
  readonly body: string
}

/** What of a request shapes its answer. */
export interface Asked {
  /** Whether it is a gRPC call, told by its content type. */
  readonly grpc: boolean
  readonly accept: string | undefined
}

/** Why a request goes no further. */
export interface Refusal {
  readonly status: number
  /** Plain text; also the gRPC message. */
  readonly text: string
  /** gRPC code. */
  readonly grpc: number
  /** When to come back, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** Whether scripts of other origins may read it. */
  readonly cors: boolean
  /** Body in place of the text, for HTTP. */
  readonly problem?: PinholeError
  /** Under what it is counted. */
  readonly outcome: Counted
}

const refusal = (status: number, text: string, outcome: Counted): Refusal => ({
  status,
  text,
  grpc: GrpcCode.internal,
  // As in Aperture, what failed on our side is for nobody's script.
  cors: outcome !== 'error',
  outcome,
})

/** The client's address is in the blocklist. */
export const ACCESS_DENIED = refusal(403, 'access denied', 'blocked')
/** The path is one of `authskipinvoicecreationpaths`. */
export const UNAUTHORIZED = refusal(401, 'unauthorized', 'unauthorized')
/** The pricer failed. */
export const PRICE_FAILED = refusal(500, 'failure fetching resource price', 'error')
/** The invoice or the token could not be made. */
export const CHALLENGE_FAILED = refusal(500, 'challenge failure', 'error')
/** A mistake of ours. */
export const INTERNAL_ERROR = refusal(500, 'internal error', 'error')

/** A rule of `ratelimits` says to wait. */
export const rateLimited = (retryAfterMs: number): Refusal => ({
  status: 429,
  text: 'rate limit exceeded',
  grpc: GrpcCode.resourceExhausted,
  retryAfterMs,
  cors: true,
  outcome: 'rate_limited',
})

/** The refusal that an error stands for; its body is the error itself. */
export const problem = (error: PinholeError, outcome: Counted): Refusal => ({
  status: error.status,
  text: error.message,
  grpc: error.grpc,
  retryAfterMs: error.retryAfterMs,
  cors: true,
  problem: error,
  outcome,
})

/** When to come back while the database fails. */
const RETRY_STORE_MS = 5_000

/** What is sold cannot be stored, or looked up. The client is not told why. */
export const storeFailed = (text: string): Refusal => {
  const options = { retryAfterMs: RETRY_STORE_MS }
  return problem(new PinholeError('ERR_STORE_UNAVAILABLE', text, options), 'error')
}

/** Headers of an answer whose type a browser must not guess (RFC 9110 §8.3). */
export const typed = (contentType: string): Readonly<Record<string, string>> => ({
  'Content-Type': contentType,
  'X-Content-Type-Options': 'nosniff',
})

/** Content type of Aperture's texts. */
export const TEXT = 'text/plain; charset=utf-8'

/** Puts a refusal into the form that its client reads. */
export function refuse(refused: Refusal, { grpc }: Asked): Answer {
  const headers: Headers = {
    ...(refused.cors ? CORS_HEADERS : {}),
    ...retryAfter(refused.retryAfterMs),
  }
  if (grpc) return trailersOnly(refused.grpc, refused.text, headers)
  const { status } = refused
  if (!refused.problem) {
    return { status, headers: { ...headers, ...typed(TEXT) }, body: `${refused.text}\n` }
  }
  const type = typed('application/problem+json')
  const body = JSON.stringify(refused.problem.toProblemDetails())
  return { status, headers: { ...headers, ...type, 'Cache-Control': 'no-store' }, body }
}

/** Whole seconds, at least one (RFC 9110 §10.2.3). */
function retryAfter(ms: number | undefined): Headers {
  return ms === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(ms / 1_000))) }
}

/** A gRPC answer of one block of headers (gRPC over HTTP/2, "Trailers-Only"). */
export function trailersOnly(code: number, message: string, headers: Headers): Answer {
  return {
    status: 200,
    headers: {
      ...headers,
      'Content-Type': 'application/grpc',
      'Grpc-Status': String(code),
      'Grpc-Message': grpcMessage(message),
    },
    body: '',
  }
}

/** Percent-encodes what a gRPC message may not hold: all but printable ASCII, and `%`. */
function grpcMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message
  let out = ''
  for (const byte of Buffer.from(message, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25
    out += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** Answers a preflight, and every other OPTIONS, for all services. */
export const PREFLIGHT: Answer = {
  status: 200,
  headers: { ...CORS_HEADERS, ...typed(TEXT) },
  body: '\n',
}

/** An upgrade was asked for where there is none. */
export const NO_UPGRADE: Answer = {
  status: 400,
  headers: typed(TEXT),
  body: 'this path has no upgrade: ask without the header Upgrade (Java: HttpClient.Version.HTTP_1_1)\n',
}

/** No service matches. */
export const NOT_FOUND: Answer = {
  status: 404,
  headers: typed(TEXT),
  body: '404 page not found\n',
}
