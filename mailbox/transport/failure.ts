/**
 * How a stream at the relay can fail, told apart as the session above needs it (LNC §10.2, §10.3), and
 * the one place that reads the relay's answers: its texts are what every hashmail client matches, since
 * all of them carry the code UNKNOWN.
 */
import { GrpcCode, PinholeError, type ErrorCode } from '../../src/base/errors.ts'

/**
 * What happened to a stream:
 * `not-found` no such box · `in-use` another connection holds that side · `unreachable` no connection to
 * the relay · `certificate` its certificate was refused · `refused` it does not speak hashmail or does not
 * want us · `ended` a stream that had worked was ended.
 */
export type FailureKind =
  'not-found' | 'in-use' | 'unreachable' | 'certificate' | 'refused' | 'ended'

/** One failure with the error that a caller would see. */
export interface RelayFailure {
  readonly kind: FailureKind
  readonly error: PinholeError
}

const CODES: Record<FailureKind, ErrorCode> = {
  'not-found': 'ERR_SESSION_NOT_FOUND',
  'in-use': 'ERR_SESSION_IN_USE',
  unreachable: 'ERR_RELAY_UNREACHABLE',
  certificate: 'ERR_RELAY_CERTIFICATE',
  refused: 'ERR_RELAY_REFUSED',
  ended: 'ERR_RELAY_UNREACHABLE',
}

/** A failure of `kind`; the message says what was seen. */
export function failure(kind: FailureKind, message: string, cause?: unknown): RelayFailure {
  return { kind, error: new PinholeError(CODES[kind], message, { cause }) }
}

/** The failure that a gRPC status of the relay stands for, over whichever face it came. */
export function failureOfStatus(code: number, message: string): RelayFailure {
  if (message.includes('stream not found')) {
    return failure('not-found', 'the relay has no box for this session')
  }
  if (message.includes('stream occupied')) {
    return failure('in-use', 'another connection holds this session')
  }
  if (code === GrpcCode.unimplemented) {
    return failure('refused', `the relay does not know hashmail: ${quoted(message)}`)
  }
  if (code === GrpcCode.resourceExhausted || code === GrpcCode.permissionDenied) {
    return failure('refused', `the relay refuses: ${quoted(message)}`)
  }
  return failure('ended', `the relay ended the stream: ${quoted(message)} (code ${code})`)
}

/** The failure that an HTTP status other than 200 or 101 stands for. */
export function failureOfHttp(status: number): RelayFailure {
  const message = `the server at that address answered ${status}`
  // A proxy in front of a relay that restarts says 502, 503 or 504: that passes.
  return failure(status >= 502 && status <= 504 ? 'unreachable' : 'refused', message)
}

const MAX_QUOTED_CHARACTERS = 200

/** Text of a stranger, cut and without control characters, fit for a message. */
function quoted(message: string): string {
  return JSON.stringify(message.slice(0, MAX_QUOTED_CHARACTERS))
}
