/** Translates what sockets, TLS, HTTP parsers and HTTP/2 say of an upstream. */
import { type ErrorCode, isPinholeError, PinholeError } from '../../src/base/errors.ts'

const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
])

/** The upstream answered, but what it sent could not be read or broke off. */
const RESPONSE_CODE = /^(?:HPE_|UND_ERR_(?:SOCKET|RES|HEADERS_OVERFLOW|RESPONSE)|ERR_HTTP2_)/

/** Code of a Node error; empty without one. */
export function codeOf(reason: unknown): string {
  if (typeof reason !== 'object' || reason === null || !('code' in reason)) return ''
  return typeof reason.code === 'string' ? reason.code : ''
}

/** How far a request had come when it failed. */
export type Stage = 'connecting' | 'waiting' | 'answering'

/** `reason` as one of `ERR_UPSTREAM_*`. Names the service, never its address: a client may read it. */
export function upstreamError(service: string, reason: unknown, stage: Stage): PinholeError {
  if (isPinholeError(reason)) return reason
  const code = codeOf(reason)
  const at = `the upstream of service ${service}`
  const of = (kind: ErrorCode, what: string) =>
    new PinholeError(kind, `${at} ${what}`, { cause: reason })
  if (CERTIFICATE_CODES.has(code) || code.startsWith('CERT_')) {
    return of('ERR_UPSTREAM_CERTIFICATE', 'shows a certificate that is not trusted')
  }
  if (code === 'ETIMEDOUT') return of('ERR_UPSTREAM_TIMEOUT', 'did not answer in time')
  if (stage === 'answering') return of('ERR_UPSTREAM_RESPONSE', 'broke off its answer')
  if (stage === 'waiting' || RESPONSE_CODE.test(code)) {
    return of('ERR_UPSTREAM_RESPONSE', 'closed the connection without a usable answer')
  }
  return of('ERR_UPSTREAM_UNREACHABLE', 'cannot be reached')
}

/** The error of a timeout; `what` completes the sentence. */
export function upstreamTimeout(service: string, what: string): PinholeError {
  return new PinholeError('ERR_UPSTREAM_TIMEOUT', `the upstream of service ${service} ${what}`)
}
