/** Errors of Node's sockets, TLS and HTTP/2 as failures of the way to the relay. */
import { failure, type RelayFailure } from './failure.ts'

/** OpenSSL's and Node's codes for a certificate that was looked at and not accepted. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** The failure behind an error before the connection stood. `where` is the relay's host:port. */
export function failureOfDial(error: unknown, where: string): RelayFailure {
  const code = codeOf(error)
  if (CERTIFICATE_CODES.has(code)) {
    return failure('certificate', `the certificate of ${where} was refused (${code})`, error)
  }
  // The other side speaks, but neither TLS nor HTTP/2: another kind of server.
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code === 'ERR_HTTP2_FRAME') {
    return failure('refused', `${where} does not answer as a relay does (${code})`, error)
  }
  return failure('unreachable', `no connection to ${where} (${code || messageOf(error)})`, error)
}

/** The failure behind the loss of a connection that stood. */
export function failureOfLoss(error: unknown, where: string): RelayFailure {
  const why = error === undefined ? 'closed by the relay' : codeOf(error) || messageOf(error)
  return failure('ended', `the connection to ${where} was lost (${why})`, error)
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
