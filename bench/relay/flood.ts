/** Writers that send without end to boxes that nobody reads, or whose reader has stopped reading. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import { grpcFrame } from '../../mailbox/hashmail/grpc-frame.ts'
import { grpcPath, STREAM_ID_BYTES, type HashmailMethod } from '../../mailbox/hashmail/names.ts'
import {
  encodeCipherBox,
  encodeCipherBoxAuth,
  encodeCipherBoxDesc,
} from '../../mailbox/hashmail/proto.ts'

/** The largest message of LNC, in bytes. */
const MESSAGE_BYTES = 32_768
/** So much of what is sent may wait in this process, in megabytes: all of it. */
const SESSION_MB = 8192

/** Boxes flooded over one connection, and how to end that. */
export interface Flood {
  /** Bytes that have left this process or wait in it to do so. */
  readonly offered: number
  readonly end: () => void
}

/** What floods: so many boxes, with so many messages of 32 KiB for each, and a reader or not. */
export interface FloodOptions {
  readonly address: string
  readonly boxes: number
  readonly messages: number
  /** A reader that takes the end and then reads nothing more. */
  readonly stalledReader: boolean
}

function call(session: http2.ClientHttp2Session, method: HashmailMethod): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': grpcPath(method),
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.on('error', () => {})
  return stream
}

/** Connects and starts to flood; resolves when every writer is at it. */
export async function flood(options: FloodOptions): Promise<Flood> {
  const session = http2.connect(`https://${options.address}`, {
    rejectUnauthorized: false,
    maxSessionMemory: SESSION_MB,
  })
  session.on('error', () => {})
  await once(session, 'connect')
  for (let n = 0; n < options.boxes; n++) {
    const id = randomBytes(STREAM_ID_BYTES)
    const created = call(session, 'NewCipherBox')
    created.resume().end(grpcFrame(encodeCipherBoxAuth(id)))
    await once(created, 'close')
    // Nobody listens for data: the stream's window fills up and is not given back.
    const reader = options.stalledReader ? call(session, 'RecvStream') : undefined
    reader?.end(grpcFrame(encodeCipherBoxDesc(id)))
    const frame = grpcFrame(encodeCipherBox(id, Buffer.alloc(MESSAGE_BYTES, n)))
    const writer = call(session, 'SendStream')
    for (let m = 0; m < options.messages; m++) writer.write(frame)
    // Aperture answers a reader only with its first message.
    if (reader) await once(reader, 'response')
  }
  return {
    offered: options.boxes * options.messages * MESSAGE_BYTES,
    end: () => session.destroy(),
  }
}
