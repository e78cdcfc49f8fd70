/** What the forwarder is told of a request, and what it tells in return. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { PinholeError } from '../../src/base/errors.ts'
import type { PlainRequest } from '../fast-path/request.ts'
import type { Target } from '../match.ts'
import type { Service } from '../service.ts'
import type { Trace } from '../tracing.ts'

/** A request as Fastify or the fast path hands it over, of either HTTP version. */
export type ClientRequest = IncomingMessage | Http2ServerRequest | PlainRequest
/** Where its answer goes. */
export type ClientResponse = ServerResponse | Http2ServerResponse

/** Everything that was decided about a request before it is forwarded. */
export interface Passage {
  readonly service: Service
  readonly target: Target
  /** The client's address; behind a trusted proxy the one that the proxy names. */
  readonly clientAddress: string
  /** The credential that opened the way, if one was needed. */
  readonly paid?: Paid | undefined
  /** Whether others have to pay for the answer, so that no cache on the way may keep it for them. */
  readonly isSold?: boolean
  /** Whether the client came by TLS. */
  readonly secure: boolean
  /** Whether the connection is a trusted proxy's, whose `X-Forwarded-*` are believed. */
  readonly trustedProxy?: boolean
  /** The request's own in the logs. */
  readonly id?: string | undefined
  readonly trace?: Trace | undefined
}

/** What the upstream is told of a paid request. */
export interface Paid {
  /** Hexadecimal. */
  readonly tokenId: string
  /** `undefined` when the price is not known, as of an imported token. */
  readonly priceMsat: bigint | undefined
  readonly scheme: 'L402'
}

/** How a forwarded request ended. */
export type Outcome =
  /** The upstream's answer reached its end. */
  | { readonly name: 'served'; readonly status: number }
  /** The upstream failed; `started` tells whether the client had got a byte of its answer before. */
  | { readonly name: 'failed'; readonly error: PinholeError; readonly started: boolean }
  /** The client went away, or took nothing for too long. */
  | { readonly name: 'abandoned' }
