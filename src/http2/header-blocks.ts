/** HEADERS and its CONTINUATION frames put together again (RFC 9113 §6.2, §6.10, §4.3). */
import { concat } from '../base/bytes.ts'
import { Http2Code, Http2Error } from './error.ts'
import { Flag, FrameType, type Frame } from './frame.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import type { Field } from './hpack-table.ts'
import { MAX_CONTINUATIONS } from './limits.ts'

/** A complete header list of a stream. */
export interface HeaderList {
  readonly stream: number
  readonly fields: Field[]
  readonly end: boolean
}

/** `frame`'s payload without padding (RFC 9113 §6.1). */
export function unpadded(frame: Frame): Uint8Array {
  if ((frame.flags & Flag.padded) === 0) return frame.payload
  const padding = frame.payload[0] ?? 0
  const end = frame.payload.length - padding
  if (frame.payload.length === 0 || end < 1) {
    throw new Http2Error(Http2Code.protocolError, 'padding longer than its frame')
  }
  return frame.payload.subarray(1, end)
}

/** Collects the header block that is under way; between its frames no other may come. */
export class HeaderBlocks {
  readonly #decoder: HpackDecoder
  readonly #maxBytes: number
  #open: { stream: number; end: boolean; parts: Uint8Array[]; bytes: number } | undefined

  /** `maxBytes` bounds a block as received, and the list that it stands for. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#decoder = new HpackDecoder(maxBytes)
  }

  /** Demands that `frame` continues the open block when there is one. */
  check(frame: Frame): void {
    const continues = frame.type === FrameType.continuation
    if (this.#open ? !continues || frame.stream !== this.#open.stream : continues) {
      throw new Http2Error(Http2Code.protocolError, 'a header block out of order')
    }
  }

  /** Takes HEADERS or CONTINUATION; gives the list when the block is complete. */
  add(frame: Frame): HeaderList | undefined {
    const open = (this.#open ??= {
      stream: frame.stream,
      end: (frame.flags & Flag.endStream) !== 0,
      parts: [],
      bytes: 0,
    })
    const part = frame.type === FrameType.headers ? fragment(frame) : frame.payload
    open.bytes += part.length
    if (open.bytes > this.#maxBytes || open.parts.length > MAX_CONTINUATIONS) {
      throw new Http2Error(Http2Code.enhanceYourCalm, 'a header block longer than allowed')
    }
    open.parts.push(part)
    if ((frame.flags & Flag.endHeaders) === 0) return undefined
    this.#open = undefined
    const [first] = open.parts
    const block = open.parts.length === 1 && first ? first : concat(...open.parts)
    return { stream: open.stream, end: open.end, fields: this.#decoder.decode(block) }
  }
}

/** The block fragment of HEADERS, behind padding length and priority (RFC 9113 §6.2). */
function fragment(frame: Frame): Uint8Array {
  const payload = unpadded(frame)
  if ((frame.flags & Flag.priority) === 0) return payload
  if (payload.length < 5) throw new Http2Error(Http2Code.frameSizeError, 'HEADERS cut short')
  return payload.subarray(5)
}
