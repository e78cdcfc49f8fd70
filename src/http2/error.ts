import { PinholeError } from '../base/errors.ts'

/** HTTP/2 error codes, RFC 9113 §7. */
export const Http2Code = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const

/** A fault of the peer that ends the whole connection (RFC 9113 §5.4.1); GOAWAY carries `http2`. */
export class Http2Error extends PinholeError {
  /** One of `Http2Code`. */
  readonly http2: number

  constructor(http2: number, what: string) {
    super('ERR_HTTP2_FRAME', `the peer broke HTTP/2: ${what}`)
    this.http2 = http2
  }
}

/** Name of an HTTP/2 error code for messages. */
export function http2CodeName(code: number): string {
  const found = Object.entries(Http2Code).find(([, value]) => value === code)
  return found ? found[0] : `code ${code}`
}
