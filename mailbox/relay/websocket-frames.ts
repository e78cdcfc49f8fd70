/**
 * WebSocket frames as a server reads and writes them (RFC 6455 §5), without extensions. Written here rather
 * than taken from `ws` so that a frame's size is checked and paid for before its bytes are kept, and
 * because an idle socket then costs little more than its TCP connection. Pure.
 */
import { compact } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { Assembly } from '../hashmail/assembly.ts'
import { brokenFrame, tooLarge } from './refusals.ts'

const TEXT = 0x1
const BINARY = 0x2
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa
const CONTINUATION = 0x0

const FINAL = 0x80
const RESERVED = 0x70
const MASKED = 0x80
const MAX_CONTROL_BYTES = 125
const MASK_BYTES = 4

/** Hears control frames as they come. */
export interface ControlFrames {
  pinged(payload: Uint8Array): void
  ponged(): void
  closed(): void
}

interface Frame {
  readonly final: boolean
  readonly opcode: number
  readonly length: number
  readonly mask: number
}

/** Cuts what a client sends into messages, at the caller's pace: `push`, `size`, `take`. */
export class WebSocketFrames {
  readonly #control: ControlFrames
  readonly #maxBytes: number
  #chunk: Uint8Array = NO_BYTES
  #at = 0
  #frame: Frame | undefined
  #assembly: Assembly | undefined
  #fragments: Uint8Array[] | undefined
  #collected = 0

  constructor(maxBytes: number, control: ControlFrames) {
    this.#maxBytes = maxBytes
    this.#control = control
  }

  /** Adds bytes, which are the reader's from now on: they are unmasked where they lie. */
  push(chunk: Uint8Array): void {
    const left = this.#chunk.length - this.#at
    if (left > 0) {
      const joined = new Uint8Array(left + chunk.length)
      joined.set(this.#chunk.subarray(this.#at))
      joined.set(chunk, left)
      chunk = joined
    }
    this.#chunk = chunk
    this.#at = 0
  }

  /** Lets go of what has been read, and keeps of the rest its bytes alone: a socket may be silent for hours now. */
  settle(): void {
    const isRead = this.#at === this.#chunk.length
    this.#chunk = isRead ? NO_BYTES : compact(this.#chunk.subarray(this.#at))
    this.#at = 0
  }

  /** Bound on the size of the next message; `undefined` until its first header is there. */
  size(): number | PinholeError | undefined {
    for (;;) {
      const frame = this.#frame ?? this.#header()
      if (frame === undefined || frame instanceof PinholeError) return frame
      this.#frame = frame
      if (frame.opcode < CLOSE) {
        const size = this.#collected + frame.length
        if (size > this.#maxBytes) return tooLarge(size, this.#maxBytes)
        // How long a message in fragments becomes is not said: the most is paid for.
        return frame.final && !this.#fragments ? size : this.#maxBytes
      }
      if (this.#chunk.length - this.#at < frame.length) return undefined
      this.#controlFrame(frame)
    }
  }

  /** The next message once it is all there. */
  take(): Uint8Array | PinholeError | undefined {
    for (;;) {
      const size = this.size()
      if (size === undefined || size instanceof PinholeError) return size
      const frame = this.#frame
      const payload = frame && this.#payload(frame)
      if (!payload || !frame) return undefined
      this.#frame = undefined
      if (frame.final && !this.#fragments) return payload
      this.#collected += payload.length
      this.#fragments = [...(this.#fragments ?? []), compact(payload)]
      if (this.#fragments.length > MAX_FRAGMENTS) return brokenFrame
      if (!frame.final) continue
      const message = Buffer.concat(this.#fragments)
      this.#fragments = undefined
      this.#collected = 0
      return message
    }
  }

  #header(): Frame | PinholeError | undefined {
    const chunk = this.#chunk
    const at = this.#at
    const available = chunk.length - at
    const first = chunk[at] ?? 0
    const second = chunk[at + 1] ?? 0
    if (available < 2) return undefined
    const opcode = first & 0x0f
    const short = second & 0x7f
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0
    if (!this.#allowed(first, second)) return brokenFrame
    if (available < 2 + extended + MASK_BYTES) return undefined
    const view = new DataView(chunk.buffer, chunk.byteOffset + at)
    const length =
      extended === 0
        ? short
        : extended === 2
          ? view.getUint16(2)
          : view.getUint32(2) * 2 ** 32 + view.getUint32(6)
    this.#at += 2 + extended + MASK_BYTES
    const mask = view.getUint32(2 + extended, LITTLE_ENDIAN)
    return { final: (first & FINAL) !== 0, opcode, length, mask }
  }

  #allowed(first: number, second: number): boolean {
    const opcode = first & 0x0f
    if ((first & RESERVED) !== 0 || (second & MASKED) === 0) return false
    switch (opcode) {
      case CONTINUATION:
        return this.#fragments !== undefined
      case TEXT:
      case BINARY:
        return this.#fragments === undefined
      case CLOSE:
      case PING:
      case PONG:
        return (first & FINAL) !== 0 && (second & 0x7f) <= MAX_CONTROL_BYTES
      default:
        return false
    }
  }

  #payload({ length, mask }: Frame): Uint8Array | undefined {
    let payload: Uint8Array | undefined
    if (!this.#assembly && this.#chunk.length - this.#at >= length) {
      payload = this.#chunk.subarray(this.#at, this.#at + length)
      this.#at += length
    } else {
      this.#assembly ??= new Assembly(length)
      this.#at += this.#assembly.add(this.#chunk.subarray(this.#at))
      payload = this.#assembly.message
    }
    if (!payload) return undefined
    this.#assembly = undefined
    unmask(payload, mask)
    return payload
  }

  #controlFrame(frame: Frame): void {
    const payload = this.#payload(frame) ?? NO_BYTES
    this.#frame = undefined
    if (frame.opcode === PING) this.#control.pinged(payload)
    else if (frame.opcode === PONG) this.#control.ponged()
    else this.#control.closed()
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0)
const LITTLE_ENDIAN = true
/** A message in more pieces than this is a game: browsers cut at 64 kB or more. */
const MAX_FRAGMENTS = 1024
/** Below so many bytes the byte-wise loop is as fast. */
const WORDWISE_BYTES = 32

/** XORs `bytes` with `mask` (its four bytes read little-endian), in place. */
export function unmask(bytes: Uint8Array, mask: number): void {
  let at = 0
  const byteAt = (i: number): number => (mask >>> ((i & 3) << 3)) & 0xff
  if (bytes.length >= WORDWISE_BYTES) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      bytes[at] = (bytes[at] ?? 0) ^ byteAt(at)
      at++
    }
    const shift = (at & 3) << 3
    const turned = shift === 0 ? mask | 0 : (mask >>> shift) | (mask << (32 - shift))
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2)
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) ^ turned
    at += words.length << 2
  }
  for (; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) ^ byteAt(at)
}

/** Bytes of the header before a payload of `length`, as a server sends it. */
export const headerBytes = (length: number): number =>
  length < 126 ? 2 : length < 0x10000 ? 4 : 10

/** Writes the header of a text message of `length` into `out` at `at`; returns where it ends. */
export function writeTextHeader(out: Buffer, at: number, length: number): number {
  out[at] = FINAL | TEXT
  if (length < 126) {
    out[at + 1] = length
  } else if (length < 0x10000) {
    out[at + 1] = 126
    out.writeUInt16BE(length, at + 2)
  } else {
    out[at + 1] = 127
    out.writeUInt32BE(0, at + 2)
    out.writeUInt32BE(length, at + 6)
  }
  return at + headerBytes(length)
}

/** A whole text message. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const out = Buffer.allocUnsafe(headerBytes(length) + length)
  out.write(text, writeTextHeader(out, 0, length))
  return out
}

/** A ping, pong or close frame; a close carries its code in the first two bytes (RFC 6455 §5.5). */
export function controlFrame(kind: 'ping' | 'pong' | 'close', payload: Uint8Array): Buffer {
  const opcode = kind === 'ping' ? PING : kind === 'pong' ? PONG : CLOSE
  return Buffer.concat([Buffer.from([FINAL | opcode, payload.length]), payload])
}

/** A close frame with `code`. */
export const closeFrame = (code: number, reason: string): Buffer =>
  controlFrame('close', Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]))
