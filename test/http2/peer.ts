import { Http2Connection, type Http2Options } from '../../src/http2/connection.ts'
import { FrameReader, type Frame } from '../../src/http2/frame.ts'
import { FrameWriter } from '../../src/http2/frame-writer.ts'
import { HpackEncoder } from '../../src/http2/hpack-encoder.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import { MESSAGE_BYTES } from '../../src/http2/limits.ts'
import type { Http2Stream, StreamEvents, StreamFailure } from '../../src/http2/stream.ts'

/** Everything that happened on a stream. */
export class Recorder implements StreamEvents {
  readonly lists: { fields: readonly Field[]; end: boolean }[] = []
  readonly failures: StreamFailure[] = []
  bytes = 0
  ended = false
  drains = 0

  headers(fields: readonly Field[], end: boolean): void {
    this.lists.push({ fields, end })
    this.ended ||= end
  }

  data(bytes: Uint8Array, end: boolean): void {
    this.bytes += bytes.length
    this.ended ||= end
  }

  drained(): void {
    this.drains++
  }

  failed(failure: StreamFailure): void {
    this.failures.push(failure)
  }
}

/** A connection whose peer is written by hand, frame by frame. */
export class HandPeer {
  readonly connection: Http2Connection
  readonly write = new FrameWriter()
  readonly encoder = new HpackEncoder()
  readonly #reader = new FrameReader()

  constructor(accept?: Http2Options['accept']) {
    const wake = () => {}
    this.connection = new Http2Connection(accept ? { accept, wake } : { wake })
  }

  /** Hands over what has been written; throws what the connection throws. */
  deliver(): void {
    this.connection.receive(this.write.take(Number.MAX_SAFE_INTEGER))
  }

  /** Reads the preface away and answers with SETTINGS. */
  open(settings: readonly (readonly [number, number])[] = []): this {
    this.connection.take(MESSAGE_BYTES)
    this.write.settings(settings)
    this.deliver()
    return this
  }

  /** All frames the connection wants to send now. */
  frames(): Frame[] {
    const frames: Frame[] = []
    for (
      let message = this.connection.take(MESSAGE_BYTES);
      message;
      message = this.connection.take(MESSAGE_BYTES)
    ) {
      this.#reader.read(message, (frame) => frames.push(frame))
    }
    return frames
  }

  /** Starts a request with a header list of its own. */
  request(events: StreamEvents, path = '/a.B/C'): Http2Stream {
    return this.connection.request([[':path', path]], events)
  }
}
