/**
 * What the node says translated to Pinhole's errors; the only place that does. litd and lnd use code
 * Unknown for almost everything, so their texts decide (LNC §18).
 */
import { GrpcCode, PinholeError } from '../../src/base/errors.ts'
import type { StreamFailure } from '../../src/http2/stream.ts'
import { http2CodeName } from '../../src/http2/error.ts'
import { codeOfReset, type Status } from './status.ts'

/** Texts by which macaroon-bakery, lnd and litd say that the macaroon has run out or was revoked. */
const EXPIRED =
  /macaroon has expired|macaroon not found in storage|root key with id .* doesn't exist/

/**
 * Texts by which they refuse a method: litd `lnd macaroon validation failed: … permission denied`, `invalid
 * macaroon: permission denied`; lnd `permission denied`, `signature mismatch after caveat verification`,
 * `expected 1 macaroon, got 0`. Bare `permission denied` inside another sentence is something else.
 */
const REFUSED =
  /macaroon validation failed|invalid macaroon|(^|desc = )permission denied$|signature mismatch after caveat verification|expected 1 macaroon|macaroon .*not valid/

/** The error of a call of `path` that the node ended with `status` other than OK. */
export function nodeError(path: string, { code, message }: Status): PinholeError {
  const said = message === '' ? `gRPC code ${code}` : message
  if (EXPIRED.test(message)) {
    return new PinholeError('ERR_SESSION_EXPIRED', `the node refused ${path}: ${said}`)
  }
  const refused = code === GrpcCode.permissionDenied || code === GrpcCode.unauthenticated
  if (refused || REFUSED.test(message)) {
    return new PinholeError('ERR_NODE_PERMISSION', `the session may not call ${path}: ${said}`)
  }
  if (code === GrpcCode.deadlineExceeded) return timeoutError(path)
  return new PinholeError('ERR_NODE_CALL', `${path}: ${said}`, { grpc: code })
}

/** The error of a call of `path` whose deadline has passed. */
export const timeoutError = (path: string): PinholeError =>
  new PinholeError('ERR_NODE_TIMEOUT', `no answer to ${path} before the deadline`)

/** Errors of calls that the node never looked at. */
const unprocessed = new WeakSet<PinholeError>()

/** Whether the call that failed with `error` surely had no effect, so that it may be made again. */
export const isUnprocessed = (error: unknown): boolean =>
  error instanceof PinholeError && unprocessed.has(error)

/** The error of a call that could not start, or that the node gave back untouched. */
export function unprocessedError(path: string): PinholeError {
  const error = new PinholeError('ERR_LINK_CLOSED', `the connection closed before ${path} began`)
  unprocessed.add(error)
  return error
}

/** The error of a call of `path` whose stream failed. */
export function streamError(path: string, failure: StreamFailure): PinholeError {
  switch (failure.kind) {
    case 'reset':
      return nodeError(path, {
        code: codeOfReset(failure.code),
        message: `the node reset the call (${http2CodeName(failure.code)})`,
      })
    case 'refused':
      return unprocessedError(path)
    case 'lost':
      return (
        failure.error ??
        new PinholeError('ERR_LINK_CLOSED', `the connection was closed during ${path}`)
      )
  }
}
