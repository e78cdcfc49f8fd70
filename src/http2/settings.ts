/** SETTINGS of the peer, RFC 9113 §6.5. */
import { Http2Code, Http2Error } from './error.ts'
import { MAX_FRAME_BYTES, Setting, readUint32 } from './frame.ts'
import { MAX_WINDOW_BYTES, type Sender } from './sender.ts'
import type { Streams } from './streams.ts'

const LARGEST_FRAME_BYTES = 2 ** 24 - 1

/** Applies a SETTINGS payload to what is sent. Throws `Http2Error` for values out of range. */
export function applySettings(payload: Uint8Array, sender: Sender, streams: Streams): void {
  if (payload.length % 6 !== 0) {
    throw new Http2Error(Http2Code.frameSizeError, 'SETTINGS of a wrong size')
  }
  let window: number | undefined
  for (let at = 0; at < payload.length; at += 6) {
    const value = readUint32(payload, at + 2)
    switch (readUint32(payload, at) >>> 16) {
      case Setting.headerTableSize:
        sender.encoder.resize(value)
        break
      case Setting.maxConcurrentStreams:
        streams.allow(value)
        break
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW_BYTES) throw tooLargeWindow()
        window = value
        break
      case Setting.maxFrameSize:
        // We send no more than the smallest value anyway.
        if (value < MAX_FRAME_BYTES || value > LARGEST_FRAME_BYTES) {
          throw new Http2Error(Http2Code.protocolError, `frames of ${value} bytes`)
        }
        break
      default:
        // RFC 9113 §6.5.2: others are ignored. gRPC's peers do not enforce a header list size we could reach.
        break
    }
  }
  // Once: a frame may say it 2,730 times, and each would change a thousand streams.
  if (window !== undefined) sender.setInitialWindow(window, streams.values())
}

const tooLargeWindow = (): Http2Error =>
  new Http2Error(Http2Code.flowControlError, 'an initial window beyond 2^31-1')
