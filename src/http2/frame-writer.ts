/** Frames on their way out, written one after another into one buffer (RFC 9113 §4.1, §6). */
import { FRAME_HEADER_BYTES, Flag, FrameType, MAX_FRAME_BYTES } from './frame.ts'

const START_BYTES = 4096

/** Collects frames; `take` cuts messages off its front. */
export class FrameWriter {
  #bytes = new Uint8Array(START_BYTES)
  #end = 0

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#end
  }

  /** The first bytes, at most `maxBytes` of them, as a copy of its own. */
  take(maxBytes: number): Uint8Array {
    const count = Math.min(maxBytes, this.#end)
    const out = this.#bytes.slice(0, count)
    this.#bytes.copyWithin(0, count, this.#end)
    this.#end -= count
    return out
  }

  /** Bytes as they are: the preface. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Any frame of a short payload. */
  frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#header(payload.length, type, flags, stream)
    this.raw(payload)
  }

  /** DATA with the bytes of `from` between `start` and `end`. */
  data(stream: number, from: Uint8Array, start: number, end: number, endStream: boolean): void {
    this.#header(end - start, FrameType.data, endStream ? Flag.endStream : 0, stream)
    this.raw(start === 0 && end === from.length ? from : from.subarray(start, end))
  }

  /** HEADERS, and CONTINUATION frames for what does not fit (RFC 9113 §6.2, §6.10). */
  headers(stream: number, block: Uint8Array, endStream: boolean): void {
    let type: number = FrameType.headers
    let flags = endStream ? Flag.endStream : 0
    for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME_BYTES) {
      const part = block.subarray(at, at + MAX_FRAME_BYTES)
      if (at + MAX_FRAME_BYTES >= block.length) flags |= Flag.endHeaders
      this.frame(type, flags, stream, part)
      type = FrameType.continuation
      flags = 0
    }
  }

  /** RST_STREAM and WINDOW_UPDATE: one 32-bit number. */
  number(type: number, stream: number, value: number): void {
    this.#header(4, type, 0, stream)
    this.#uint32(value)
  }

  /** SETTINGS; an empty list makes an empty frame. */
  settings(values: readonly (readonly [setting: number, value: number])[]): void {
    this.#header(values.length * 6, FrameType.settings, 0, 0)
    for (const [setting, value] of values) {
      this.#reserve(6)
      this.#bytes[this.#end++] = setting >>> 8
      this.#bytes[this.#end++] = setting
      this.#uint32(value)
    }
  }

  /** GOAWAY without debug data. */
  goAway(lastStream: number, code: number): void {
    this.#header(8, FrameType.goAway, 0, 0)
    this.#uint32(lastStream)
    this.#uint32(code)
  }

  #header(length: number, type: number, flags: number, stream: number): void {
    this.#reserve(FRAME_HEADER_BYTES + length)
    const bytes = this.#bytes
    let at = this.#end
    bytes[at++] = length >>> 16
    bytes[at++] = length >>> 8
    bytes[at++] = length
    bytes[at++] = type
    bytes[at++] = flags
    this.#end = at
    this.#uint32(stream)
  }

  #uint32(value: number): void {
    this.#reserve(4)
    const bytes = this.#bytes
    let at = this.#end
    bytes[at++] = value >>> 24
    bytes[at++] = value >>> 16
    bytes[at++] = value >>> 8
    bytes[at++] = value
    this.#end = at
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + count))
    grown.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = grown
  }
}
