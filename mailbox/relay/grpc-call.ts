/**
 * The server's half of one gRPC call on a bare HTTP/2 stream: answer, messages, status in trailers
 * (gRPC over HTTP/2). An error before the first message is sent as trailers only.
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { GrpcCode } from '../../src/base/errors.ts'

const ANSWER = { ':status': 200, 'content-type': 'application/grpc' }

/** What a call ends with. */
export interface GrpcStatus {
  readonly code: number
  readonly message: string
}

const OK: GrpcStatus = { code: GrpcCode.ok, message: '' }

export class GrpcCall {
  readonly #stream: ServerHttp2Stream
  #ended = false

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  /** Sends the answer's headers. */
  open(): void {
    const stream = this.#stream
    if (stream.destroyed || stream.headersSent) return
    stream.respond(ANSWER, { waitForTrailers: true })
    // The response object that Node hangs on a stream would send its own, empty trailers.
    stream.removeAllListeners('wantTrailers')
    stream.on('wantTrailers', this.#trailers)
  }

  /** Ends a call that was answered in full, `message` being its one answer. */
  answer(message: Uint8Array): void {
    this.open()
    if (!this.#stream.destroyed) this.#stream.write(message)
    this.end(OK)
  }

  /** Ends the call. Idempotent: the first status counts. */
  end(status: GrpcStatus): void {
    const stream = this.#stream
    if (this.#ended) return
    this.#ended = true
    if (stream.destroyed || stream.closed) return
    if (stream.headersSent) {
      this.#status = status
      stream.end()
    } else {
      stream.respond({ ...ANSWER, ...statusFields(status) }, { endStream: true })
      this.#stopSender()
    }
  }

  #status: GrpcStatus = OK

  readonly #trailers = (): void => {
    if (this.#stream.destroyed) return
    this.#stream.sendTrailers(statusFields(this.#status))
    this.#stopSender()
  }

  /**
   * The peer may still be sending: what is on its way is dropped, and it is told to stop. A turn later,
   * since a reset would overtake trailers that are not out yet.
   */
  #stopSender(): void {
    const stream = this.#stream
    stream.resume()
    setImmediate(() => {
      if (!stream.destroyed && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR)
    })
  }
}

function statusFields({ code, message }: GrpcStatus): Record<string, string> {
  const status = { 'grpc-status': String(code) }
  return message === '' ? status : { ...status, 'grpc-message': percentEncode(message) }
}

/** gRPC's percent-encoding of `grpc-message`: all but printable ASCII, and `%` itself. */
export const percentEncode = (message: string): string =>
  message.replaceAll(/[^\u0020-\u0024\u0026-\u007e]+/gu, (part) =>
    [...Buffer.from(part)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

/** The deadline that `grpc-timeout` sets, in milliseconds; `undefined` when there is none or it is broken. */
export function grpcTimeoutMs(headers: IncomingHttpHeaders): number | undefined {
  const [, count, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'])) ?? []
  if (count === undefined || unit === undefined) return undefined
  return Number(count) * (UNIT_MS[unit] ?? 1)
}
