/** A call's outcome as it is written in the headers, gRPC over HTTP/2 (PROTOCOL-HTTP2.md, "Responses"). */
import { text } from '../../src/base/bytes.ts'
import { GrpcCode } from '../../src/base/errors.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import { Http2Code } from '../../src/http2/error.ts'

/** gRPC code and the node's words for it. */
export interface Status {
  readonly code: number
  readonly message: string
}

const MAX_CODE = 16

/** The first value of `name`. */
export function headerValue(fields: readonly Field[], name: string): string | undefined {
  for (const field of fields) if (field[0] === name) return field[1]
  return undefined
}

/** The status in `fields`, or `undefined` when they have none. */
export function readStatus(fields: readonly Field[]): Status | undefined {
  const value = headerValue(fields, 'grpc-status')
  if (value === undefined) return undefined
  const code = /^\d{1,2}$/.test(value) ? Number(value) : GrpcCode.unknown
  const message = headerValue(fields, 'grpc-message')
  return {
    code: code <= MAX_CODE ? code : GrpcCode.unknown,
    message: message ? percentDecode(message) : '',
  }
}

/** What is wrong with the headers that start an answer, or `undefined`. */
export function refusedByHttp(fields: readonly Field[]): Status | undefined {
  const status = headerValue(fields, ':status') ?? ''
  const type = headerValue(fields, 'content-type') ?? ''
  if (status === '200' && /^application\/grpc($|[+;])/.test(type)) return undefined
  const code = HTTP_CODES.get(status) ?? GrpcCode.unknown
  return { code, message: `HTTP status ${status || 'missing'} with content type ${type || 'none'}` }
}

/** gRPC code for the HTTP status of an answer without gRPC status (http-grpc-status-mapping.md). */
const HTTP_CODES: ReadonlyMap<string, number> = new Map([
  ['400', GrpcCode.internal],
  ['401', GrpcCode.unauthenticated],
  ['403', GrpcCode.permissionDenied],
  ['404', GrpcCode.unimplemented],
  ['429', GrpcCode.unavailable],
  ['502', GrpcCode.unavailable],
  ['503', GrpcCode.unavailable],
  ['504', GrpcCode.unavailable],
])

/** gRPC code for a stream that the peer reset (PROTOCOL-HTTP2.md, "Errors"). */
export function codeOfReset(http2: number): number {
  switch (http2) {
    case Http2Code.refusedStream:
      return GrpcCode.unavailable
    case Http2Code.cancel:
      return GrpcCode.cancelled
    case Http2Code.enhanceYourCalm:
      return GrpcCode.resourceExhausted
    case Http2Code.inadequateSecurity:
      return GrpcCode.permissionDenied
    default:
      return GrpcCode.internal
  }
}

/** `grpc-message` is percent-encoded UTF-8; what is not well-formed stays as it is. */
function percentDecode(value: string): string {
  if (!value.includes('%')) return value
  const bytes: number[] = []
  for (let at = 0; at < value.length; at++) {
    const hex = value.slice(at + 1, at + 3)
    if (value[at] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16))
      at += 2
    } else {
      bytes.push(value.charCodeAt(at))
    }
  }
  return text(Uint8Array.from(bytes))
}

/** `message` as a `grpc-message` header. */
export function percentEncode(message: string): string {
  return encodeURIComponent(message).replaceAll('%20', ' ')
}
