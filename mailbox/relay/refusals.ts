/** The relay's refusals. Texts are Aperture's where it has one, since clients compare them. */
import { GrpcCode, PinholeError, type ErrorCode } from '../../src/base/errors.ts'
import { HashmailText as text } from '../hashmail/names.ts'

const fixed = (code: ErrorCode, message: string): PinholeError => new PinholeError(code, message)

// Made once: they carry nothing that changes, and a flood of refused calls then costs no stack traces.
/** Refusals whose text never changes. */
export const Refusal = {
  boxExists: fixed('ERR_BOX_EXISTS', text.boxExists),
  notFound: fixed('ERR_BOX_NOT_FOUND', text.notFound),
  readOccupied: fixed('ERR_BOX_READ_OCCUPIED', text.readOccupied),
  writeOccupied: fixed('ERR_BOX_WRITE_OCCUPIED', text.writeOccupied),
  shuttingDown: fixed('ERR_BOX_CLOSED', text.shuttingDown),
  readerEnd: fixed('ERR_BOX_CLOSED', text.readerEnd),
  writerEnd: fixed('ERR_BOX_CLOSED', text.writerEnd),
  /** A writer that says it is done gets this too (LNC §10.1: SendStream never answers). */
  halfClosed: fixed('ERR_BOX_REQUEST', text.readerEnd),
  noDesc: fixed('ERR_BOX_REQUEST', text.noDesc),
  noStreamId: fixed('ERR_BOX_REQUEST', text.noStreamId),
  noAuth: fixed('ERR_BOX_REQUEST', text.noAuth),
  closing: fixed('ERR_RELAY_CLOSING', 'the relay is shutting down'),
  /** No message in `messageTimeoutMs`, or one that stopped half-way. */
  tooSlow: fixed('ERR_RELAY_TIMEOUT', 'no message came in time'),
  deadline: fixed('ERR_RELAY_TIMEOUT', 'context deadline exceeded'),
} as const

/** A message larger than `max` bytes; worded as grpc-go does. */
export const tooLarge = (size: number, max: number): PinholeError =>
  new PinholeError(
    'ERR_BOX_MESSAGE_SIZE',
    `grpc: received message larger than max (${size} vs. ${max})`,
  )

/** A request that breaks the limit with configuration key `key`. */
export const overLimit = (what: string, key: string, max: number): PinholeError =>
  new PinholeError('ERR_BOX_LIMIT', `${what}: hashmail.${key} is ${max}`)

/** A request in JSON that is not what it should be. */
export const badJson = (reason: string): PinholeError => new PinholeError('ERR_RELAY_JSON', reason)

/** A gRPC message that is no protobuf; worded as grpc-go does. */
export const malformed = new PinholeError(
  'ERR_BOX_REQUEST',
  'grpc: error unmarshalling request: proto: cannot parse invalid wire-format data',
  { grpc: GrpcCode.internal },
)

/** Messages are never compressed: what they hold is encrypted. */
export const compressed = new PinholeError(
  'ERR_BOX_REQUEST',
  'grpc: compressed messages are not supported',
  { grpc: GrpcCode.unimplemented },
)

/** What came is no WebSocket frame of a client (RFC 6455 §5). */
export const brokenFrame = new PinholeError('ERR_RELAY_JSON', 'broken WebSocket frame')
