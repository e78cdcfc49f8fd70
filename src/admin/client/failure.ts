/** What went wrong on the way to a hub or in its answer, as one of our errors. */
import {
  type ErrorCode,
  ERROR_CODES,
  GrpcCode,
  isPinholeError,
  PinholeError,
} from '../../base/errors.ts'

/** Longest part of an answer that an error quotes, in characters. */
const MAX_QUOTE = 200

/** What a failed call was. */
export interface FailedCall {
  readonly base: string
  /** The caller's. */
  readonly signal: AbortSignal | undefined
  readonly timeout: AbortSignal
  readonly timeoutMs: number
}

/** `reason` as the caller is told: the reason of its own signal, else a `PinholeError`. */
export function hubFailure(reason: unknown, call: FailedCall): unknown {
  if (isPinholeError(reason)) return reason
  if (call.signal?.aborted === true) return call.signal.reason
  const { base } = call
  if (call.timeout.aborted) {
    const text = `the hub at ${base} did not answer within ${call.timeoutMs / 1_000} s`
    return new PinholeError('ERR_HUB_UNREACHABLE', text, { cause: reason })
  }
  if (!(reason instanceof Error)) return reason
  const { code, message } = rootOf(reason)
  if (CERTIFICATE_CODES.test(code)) {
    const text = `the certificate of the hub at ${base} is not trusted: ${message}`
    return new PinholeError('ERR_HUB_CERTIFICATE', text, { cause: reason })
  }
  const why = WHY.get(code) ?? message
  const text = `no hub answers at ${base}: ${why}`
  return new PinholeError('ERR_HUB_UNREACHABLE', text, { cause: reason })
}

/** OpenSSL's and Node's names for what can be wrong with a certificate. */
const CERTIFICATE_CODES =
  /CERT_|_CERT|SELF_SIGNED|ISSUER|ERR_TLS_CERT_ALTNAME|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH/

/** In place of what Node and OpenSSL say. */
const WHY: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'what listens there speaks no TLS; is it an http address?'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'what listens there speaks no TLS; is it an http address?'],
])

/** What `fetch failed` was caused by. */
function rootOf(error: Error): { readonly code: string; readonly message: string } {
  let { cause } = error
  let found = error
  // Several addresses were tried: the last says as much as any.
  if (cause instanceof AggregateError) cause = cause.errors.at(-1)
  if (cause instanceof Error) found = cause
  const code = 'code' in found && typeof found.code === 'string' ? found.code : ''
  return { code, message: found.message === '' ? code : found.message }
}

const BY_GRPC: ReadonlyMap<unknown, ErrorCode> = new Map([
  [GrpcCode.invalidArgument, 'ERR_ADMIN_REQUEST'],
  [GrpcCode.unauthenticated, 'ERR_ADMIN_MACAROON'],
  [GrpcCode.permissionDenied, 'ERR_ADMIN_SCOPE'],
  [GrpcCode.notFound, 'ERR_ADMIN_NOT_FOUND'],
  [GrpcCode.alreadyExists, 'ERR_ADMIN_EXISTS'],
  [GrpcCode.unimplemented, 'ERR_ADMIN_OFF'],
])

/** An answer that is no success. */
export function refusal(status: number, text: string, base: string): PinholeError {
  const said = bodyOf(text)
  if (said) {
    const known = ERROR_CODES.find((code) => code === said.error)
    const code = known ?? BY_GRPC.get(said.grpc) ?? 'ERR_HUB_ANSWER'
    return new PinholeError(code, said.message, { grpc: said.grpc })
  }
  // Without an admin API these paths are like any other: nothing is there, or it is sold.
  if (status === 404 || status === 405 || status === 402) {
    return new PinholeError('ERR_ADMIN_OFF', `the hub at ${base} has no admin API`)
  }
  return wrongAnswer(base, `status ${status} ${text.slice(0, MAX_QUOTE)}`.trimEnd())
}

/** A success that is none. */
export function wrongAnswer(base: string, what: string): PinholeError {
  return new PinholeError('ERR_HUB_ANSWER', `${base} did not answer as a hub does: ${what}`)
}

interface Said {
  readonly grpc: number
  readonly message: string
  readonly error: unknown
}

/** The body of the admin API's errors; `undefined` when somebody else answered. */
function bodyOf(text: string): Said | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof body !== 'object' || body === null) return undefined
  if (!('code' in body) || !('message' in body)) return undefined
  const { code: grpc, message } = body
  if (typeof grpc !== 'number' || typeof message !== 'string') return undefined
  return { grpc, message, error: 'error' in body ? body.error : undefined }
}
