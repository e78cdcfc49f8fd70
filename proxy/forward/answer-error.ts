/** Answers in the upstream's place when it failed before its first byte. */
import type { PinholeError } from '../../src/base/errors.ts'
import type { Outgoing } from './exchange.ts'
import type { Reply } from './reply.ts'

/** Problem details (RFC 9457), or for gRPC a status without a message (Trailers-Only). */
export function answerError(
  reply: Reply,
  error: PinholeError,
  { isGrpc, method }: Pick<Outgoing, 'isGrpc' | 'method'>,
): void {
  if (isGrpc) {
    const fields = ['Content-Type', 'application/grpc', ...grpcStatus(error)]
    reply.head(
      { status: 200, statusText: '', fields, hasLength: false, trailer: '', grpc: undefined },
      true,
    )
    reply.end([])
    return
  }
  const body = Buffer.from(JSON.stringify(error.toProblemDetails()))
  const fields = [
    ...['Content-Type', 'application/problem+json'],
    ...['X-Content-Type-Options', 'nosniff'],
    ...['Content-Length', String(body.length)],
  ]
  const head = { statusText: '', trailer: '', grpc: undefined }
  reply.head({ ...head, status: error.status, fields, hasLength: true }, false)
  if (method !== 'HEAD') reply.write(body)
  reply.end([])
}

function grpcStatus(error: PinholeError): string[] {
  return ['Grpc-Status', String(error.grpc), 'Grpc-Message', percentEncoded(error.message)]
}

/** As gRPC's protocol has `Grpc-Message`: every byte but printable ASCII, and `%`. */
function percentEncoded(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\x20-\x24\x26-\x7e]/g, (byte) => {
      return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
    })
}
