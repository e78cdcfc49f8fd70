/**
 * HTTP/2 frames, RFC 9113 §4 and §6: a 9-byte header and a payload. The reader takes bytes in pieces of
 * any size and checks a length before it keeps a byte. Not here: meaning, streams, HPACK.
 */
import { concat } from '../base/bytes.ts'
import { Http2Code, Http2Error } from './error.ts'

/** What a client sends first (RFC 9113 §3.4), before its SETTINGS. */
export const PREFACE = new TextEncoder().encode('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Bytes of a frame's header. */
export const FRAME_HEADER_BYTES = 9

/** Largest payload either end sends; we never announce more, nor does grpc-go. */
export const MAX_FRAME_BYTES = 16_384

/** Frame types, RFC 9113 §6. */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const

/** Frame flags, RFC 9113 §6; `ack` shares its bit with `endStream`. */
export const Flag = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const

/** Parameters of SETTINGS, RFC 9113 §6.5.2. */
export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const

/** One frame as received; `payload` is a view on the bytes that were read. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Uint8Array
}

/** 32-bit unsigned big-endian integer at `at`; bytes past the end count as 0. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  )
}

/** Cuts a byte stream into frames. A frame that lies in one piece is not copied. */
export class FrameReader {
  #pieces: Uint8Array[] = []
  #held = 0
  /** Bytes that must be there before it is worth looking again. */
  #wanted = FRAME_HEADER_BYTES
  readonly #maxFrameBytes: number

  constructor(maxFrameBytes: number = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Gives each frame that `bytes` completes to `take`.
   * Throws `Http2Error` for a frame longer than the limit.
   */
  read(bytes: Uint8Array, take: (frame: Frame) => void): void {
    let piece = bytes
    if (this.#held > 0) {
      this.#pieces.push(bytes)
      this.#held += bytes.length
      if (this.#held < this.#wanted) return
      piece = concat(...this.#pieces)
      this.#pieces = []
      this.#held = 0
    }
    this.#keep(piece, this.#cut(piece, take))
  }

  /** Gives the complete frames of `bytes`; returns where the incomplete one starts. */
  #cut(bytes: Uint8Array, take: (frame: Frame) => void): number {
    let at = 0
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = readUint32(bytes, at) >>> 8
      if (length > this.#maxFrameBytes) {
        throw new Http2Error(Http2Code.frameSizeError, `a frame of ${length} bytes`)
      }
      const start = at + FRAME_HEADER_BYTES
      const end = start + length
      if (bytes.length < end) {
        this.#wanted = FRAME_HEADER_BYTES + length
        return at
      }
      take({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        stream: readUint32(bytes, at + 5) & 0x7fffffff,
        payload: bytes.subarray(start, end),
      })
      at = end
    }
    this.#wanted = FRAME_HEADER_BYTES
    return at
  }

  #keep(bytes: Uint8Array, from: number): void {
    if (from === bytes.length) return
    const rest = from === 0 ? bytes : bytes.subarray(from)
    this.#pieces.push(rest)
    this.#held = rest.length
  }
}
