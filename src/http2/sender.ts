/**
 * What leaves: header lists at once, bodies within the peer's windows (RFC 9113 §5.2, §6.9), streams in
 * turn, a frame each. Bodies wait in their streams until a message is asked for, so the layer below sets
 * the pace and what is urgent goes first.
 */
import { Http2Code, Http2Error } from './error.ts'
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from './frame.ts'
import { FrameWriter } from './frame-writer.ts'
import { HpackEncoder, type Literals } from './hpack-encoder.ts'
import { MESSAGE_BYTES } from './limits.ts'
import type { Http2Stream } from './stream.ts'

/** Both windows before SETTINGS say otherwise, RFC 9113 §6.9.2. */
export const DEFAULT_WINDOW_BYTES = 65_535
/** The largest window there is, RFC 9113 §6.9.1. */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1

/** The sending half of a connection. */
export class Sender {
  readonly writer = new FrameWriter()
  readonly encoder: HpackEncoder
  #window = DEFAULT_WINDOW_BYTES
  #initialWindow = DEFAULT_WINDOW_BYTES
  /** Streams with something to send, each once, in turn. */
  #round: Http2Stream[] = []
  readonly #finished: (stream: Http2Stream) => void

  /** `finished` is called when END_STREAM of a stream has been written. */
  constructor(finished: (stream: Http2Stream) => void, literals?: Literals) {
    this.encoder = new HpackEncoder(literals)
    this.#finished = finished
  }

  /** Window that a new stream starts with. */
  get initialWindow(): number {
    return this.#initialWindow
  }

  /** Writes the stream's header list, and of its body what fits into the next message. */
  push(stream: Http2Stream): void {
    if (stream.id === 0 || stream.localClosed) return
    this.#writeHead(stream)
    while (this.writer.length < MESSAGE_BYTES && this.#writeNext(stream, MESSAGE_BYTES));
    this.#enlist(stream)
  }

  /** The next message of at most `maxBytes`, or `undefined` when nothing may leave now. */
  take(maxBytes: number): Uint8Array | undefined {
    let idle = 0
    while (this.writer.length < maxBytes && idle < this.#round.length) {
      const stream = this.#round.shift()
      if (!stream) break
      stream.ready = false
      idle = this.#writeNext(stream, maxBytes) ? 0 : idle + 1
      this.#enlist(stream)
    }
    return this.writer.length === 0 ? undefined : this.writer.take(maxBytes)
  }

  /** WINDOW_UPDATE for `stream`, or for the connection. Throws `Http2Error` when it overflows. */
  grant(stream: Http2Stream | undefined, bytes: number): void {
    const window = (stream ? stream.sendWindow : this.#window) + bytes
    if (window > MAX_WINDOW_BYTES) {
      throw new Http2Error(Http2Code.flowControlError, 'a window beyond 2^31-1')
    }
    if (stream) stream.sendWindow = window
    else this.#window = window
    if (stream) this.#enlist(stream)
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE, at most `MAX_WINDOW_BYTES`, changes the windows of `streams`, too (RFC 9113 §6.9.2). */
  setInitialWindow(bytes: number, streams: Iterable<Http2Stream>): void {
    const change = bytes - this.#initialWindow
    this.#initialWindow = bytes
    if (change === 0) return
    for (const stream of streams) this.grant(stream, change)
  }

  #writeHead(stream: Http2Stream): void {
    const head = stream.head
    if (!head) return
    stream.head = undefined
    const end = stream.ending && stream.queue.length === 0 && !stream.trailers
    this.writer.headers(stream.id, this.encoder.encode(head.fields, head.passing), end)
    if (end) this.#close(stream)
  }

  /** Keeps a stream in the round while it has something that its own window lets pass. */
  #enlist(stream: Http2Stream): void {
    if (stream.ready || stream.localClosed || stream.id === 0) return
    if (stream.queue.length > 0 ? stream.sendWindow <= 0 : !stream.ending) return
    stream.ready = true
    this.#round.push(stream)
  }

  /** Writes one frame of `stream` into a message of `maxBytes`; `false` when none may leave. */
  #writeNext(stream: Http2Stream, maxBytes: number): boolean {
    if (stream.localClosed) return false
    const piece = stream.queue[0]
    if (!piece) return this.#writeEnd(stream)
    const left = piece.length - stream.sent
    const room = maxBytes - this.writer.length - FRAME_HEADER_BYTES
    const bytes = Math.min(left, room, MAX_FRAME_BYTES, stream.sendWindow, this.#window)
    if (bytes <= 0) return false
    if (bytes === left) stream.queue.shift()
    const emptied = stream.queue.length === 0
    const end = emptied && stream.ending && !stream.trailers
    this.writer.data(stream.id, piece, stream.sent, stream.sent + bytes, end)
    stream.sent = bytes === left ? 0 : stream.sent + bytes
    stream.queued -= bytes
    stream.sendWindow -= bytes
    this.#window -= bytes
    if (end) this.#close(stream)
    if (emptied) stream.events.drained()
    return true
  }

  #writeEnd(stream: Http2Stream): boolean {
    if (!stream.ending) return false
    if (stream.trailers) {
      this.writer.headers(stream.id, this.encoder.encode(stream.trailers), true)
    } else {
      this.writer.data(stream.id, new Uint8Array(0), 0, 0, true)
    }
    this.#close(stream)
    return true
  }

  #close(stream: Http2Stream): void {
    stream.localClosed = true
    this.#finished(stream)
  }
}
