/**
 * MsgData (LNC §8): the frame between Noise and Go-Back-N, one to each message.
 *
 *     version 1 byte, 0 | payload length uint32 big-endian | payload
 */
import { PinholeError } from '../src/base/errors.ts'
import type { Link } from './link.ts'

const VERSION = 0
const HEADER_BYTES = 5

/**
 * The frame that holds `payload`, which is copied.
 * @throws `TypeError` when it is empty: Go takes an empty frame as the end of the stream.
 */
export function encodeMessage(payload: Uint8Array): Uint8Array {
  if (payload.length === 0) throw new TypeError('an empty MsgData would end the connection')
  const frame = new Uint8Array(HEADER_BYTES + payload.length)
  frame[0] = VERSION
  new DataView(frame.buffer).setUint32(1, payload.length)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/**
 * The payload of `frame`, a view on it. As in Go any version byte will do and bytes after the payload
 * are ignored.
 * @throws `ERR_MESSAGE_FRAME` when the frame is cut short or its payload is empty.
 */
export function decodeMessage(frame: Uint8Array): Uint8Array {
  if (frame.length < HEADER_BYTES) throw broken(`only ${frame.length} bytes`)
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(1)
  if (length === 0) throw broken('an empty payload')
  if (length > frame.length - HEADER_BYTES)
    throw broken(`${frame.length - HEADER_BYTES} of ${length} bytes`)
  return frame.subarray(HEADER_BYTES, HEADER_BYTES + length)
}

const broken = (what: string) => new PinholeError('ERR_MESSAGE_FRAME', `MsgData with ${what}`)

/** The link of payloads over `lower`, a link of MsgData frames. */
export function messageLink(lower: Link): Link {
  return {
    async send(payload) {
      return lower.send(encodeMessage(payload))
    },
    async receive() {
      const frame = await lower.receive()
      return frame && decodeMessage(frame)
    },
    close: () => lower.close(),
  }
}
