/** Reads off a client's request what is sent upstream. */
import type { IncomingMessage } from 'node:http'
import { Http2ServerRequest } from 'node:http2'
import type { Outgoing } from './exchange.ts'
import { listHas } from './hop-by-hop.ts'
import type { ClientRequest, Passage } from './passage.ts'
import type { RequestHeaders } from './request-headers.ts'
import { upstreamPath } from './request-path.ts'

/** The parts that depend on the service alone. */
export interface Way {
  readonly headers: RequestHeaders
  readonly prefix: string
  readonly host: string
}

/** The request as it goes upstream. */
export function outgoingOf(req: ClientRequest, passage: Passage, way: Way): Outgoing {
  const { headers } = req
  const { target } = passage
  const length = headers['content-length']
  const trailer = headers.trailer
  const fields = way.headers.lines(req.rawHeaders, { passage, peer: peerOf(req, passage) })
  passage.trace?.onward(fields)
  const isGrpc = headers['content-type']?.startsWith('application/grpc') === true
  return {
    method: target.method,
    path: upstreamPath(way.prefix, target.url),
    host: way.host,
    fields,
    headers: way.headers,
    hasBody: req instanceof Http2ServerRequest ? hasHttp2Body(req) : hasBody(req),
    length,
    trailer,
    expectsContinue: headers.expect !== undefined && listHas(headers.expect, '100-continue'),
    isGrpc,
    // Calls of gRPC are POSTs, which no cache answers.
    isSold: passage.isSold === true && !isGrpc,
  }
}

/** A body without a byte may be known to have ended by now. */
const hasHttp2Body = ({ stream }: Http2ServerRequest): boolean =>
  !stream.endAfterHeaders && !stream.readableEnded

/** RFC 9112 §6: a request has a body when its framing says so. */
function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && Number(length) !== 0
}

/** What `X-Forwarded-For` gets: whoever is at the other end of the connection. */
function peerOf(req: ClientRequest, { trustedProxy, clientAddress }: Passage): string {
  if (trustedProxy !== true) return clientAddress
  return (req.socket.remoteAddress ?? clientAddress).replace(/^::ffff:(?=\d+\.)/, '')
}
