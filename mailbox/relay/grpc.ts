/**
 * The gRPC face: four methods spoken on bare HTTP/2 streams, since they carry every message (LNC §10.1).
 * Deviation: RecvStream answers with headers as soon as it holds its end, so that a client knows.
 */
import type { ServerHttp2Stream } from 'node:http2'
import { GrpcCode, PinholeError } from '../../src/base/errors.ts'
import { FrameReader, FRAME_PREFIX_BYTES, grpcFrame, writePrefix } from '../hashmail/grpc-frame.ts'
import {
  cipherBoxMsg,
  decodeCipherBox,
  decodeCipherBoxAuth,
  decodeCipherBoxDesc,
  encodeCipherInitSuccess,
  encodeDescField,
  msgFieldBytes,
  writeMsgField,
} from '../hashmail/proto.ts'
import { GrpcCall } from './grpc-call.ts'
import { ENVELOPE_BYTES, MAX_REQUEST_BYTES } from './limits.ts'
import { Receiving, type ReceivingFace } from './receiving.ts'
import { compressed, malformed, Refusal, tooLarge } from './refusals.ts'
import type { LiveStream, Relay } from './relay.ts'
import { checkAuth, firstMessage } from './requests.ts'
import { RAISE_AFTER_BYTES } from './windows.ts'
import { Sending, type MessageSource, type SendingFace, type SentMessage } from './sending.ts'

/** How a call begins: its stream, whom it counts to, and its deadline. */
export interface IncomingCall {
  readonly stream: ServerHttp2Stream
  readonly address: string
  /** From `grpc-timeout`. */
  readonly timeoutMs: number | undefined
}

const INIT_SUCCESS = grpcFrame(encodeCipherInitSuccess())
const DELETED = grpcFrame(new Uint8Array(0))

const status = (reason: PinholeError): { code: number; message: string } => ({
  code: reason.grpc,
  message: reason.message,
})

/** Serves one call. */
export function serveGrpc(relay: Relay, method: string, call: IncomingCall): void {
  // Without a listener an error of the peer's connection would end the process.
  call.stream.on('error', () => {})
  switch (method) {
    case 'NewCipherBox':
    case 'DelCipherBox':
      return serveUnary(relay, method, call)
    case 'SendStream':
      return void new GrpcSend(relay, call)
    case 'RecvStream':
      return void new GrpcReceive(relay, call)
    default: {
      const message = `unknown method ${method} for service hashmailrpc.HashMail`
      new GrpcCall(call.stream).end({ code: GrpcCode.unimplemented, message })
    }
  }
}

/** Reads the one message of a call; `done` hears it or why there is none. */
function readRequest(
  relay: Relay,
  { stream }: IncomingCall,
  done: (request: Uint8Array | PinholeError) => void,
): void {
  const frames = new FrameReader()
  let open = true
  const finish = (request: Uint8Array | PinholeError): void => {
    if (!open) return
    open = false
    cancel()
    done(request)
    frames.clear()
  }
  const cancel = relay.clock.after(relay.limits.messageTimeoutMs, () => finish(Refusal.tooSlow))
  stream.on('data', (chunk: Buffer) => {
    if (!open) return
    frames.push(chunk)
    const size = frames.length() ?? 0
    if (size > MAX_REQUEST_BYTES) return finish(tooLarge(size, MAX_REQUEST_BYTES))
    const message = frames.next()
    if (message) finish(frames.compressed ? compressed : message)
  })
  stream.once('end', () => finish(Refusal.halfClosed))
  stream.once('close', () => finish(Refusal.halfClosed))
}

function serveUnary(
  relay: Relay,
  method: 'NewCipherBox' | 'DelCipherBox',
  call: IncomingCall,
): void {
  const reply = new GrpcCall(call.stream)
  const create = method === 'NewCipherBox'
  readRequest(relay, call, (request) => {
    if (request instanceof PinholeError) return reply.end(status(relay.refused(request)))
    const auth = decodeCipherBoxAuth(request)
    const id = auth ? checkAuth(auth) : malformed
    if (id instanceof PinholeError) return reply.end(status(relay.refused(id)))
    const reason = create ? relay.create(id, call.address) : relay.delete(id)
    if (reason) reply.end(status(reason))
    else reply.answer(create ? INIT_SUCCESS : DELETED)
  })
}

/** What SendStream and RecvStream have in common: they are counted, have a deadline and can be drained. */
abstract class GrpcStream implements LiveStream {
  readonly face = 'grpc'
  protected readonly relay: Relay
  protected readonly stream: ServerHttp2Stream
  protected readonly call: GrpcCall
  readonly #cancelDeadline: () => void = () => {}

  constructor(relay: Relay, { stream, timeoutMs }: IncomingCall) {
    this.relay = relay
    this.stream = stream
    this.call = new GrpcCall(stream)
    if (timeoutMs !== undefined) {
      this.#cancelDeadline = relay.clock.after(timeoutMs, () => this.end(Refusal.deadline))
    }
    stream.once('close', () => {
      this.#cancelDeadline()
      this.close()
      relay.leave(this)
    })
  }

  drain(): void {
    this.end(Refusal.closing)
  }

  refuse(reason: PinholeError): void {
    this.call.end(status(this.relay.refused(reason)))
  }

  /** Ends the call with `reason`. */
  protected abstract end(reason: PinholeError): void
  /** Lets go of the box. */
  protected abstract close(): void
}

class GrpcSend extends GrpcStream implements SendingFace {
  readonly #sending: Sending | undefined

  constructor(relay: Relay, call: IncomingCall) {
    super(relay, call)
    const account = relay.enter(this, call.address)
    if (account instanceof PinholeError) {
      this.call.end(status(account))
      return
    }
    const source = new GrpcSource(relay.limits.maxMessageBytes)
    const sending = new Sending(relay, account, source, this)
    this.#sending = sending
    const { windows } = relay
    windows.opened()
    call.stream.once('close', () => windows.closed())
    let moved = 0
    call.stream.on('data', (chunk: Buffer) => {
      if (moved < RAISE_AFTER_BYTES) {
        moved += chunk.length
        if (moved >= RAISE_AFTER_BYTES) windows.raise(call.stream.session)
      }
      source.frames.push(chunk)
      sending.arrived()
    })
    call.stream.once('end', () => sending.finished())
  }

  pause(): void {
    this.stream.pause()
  }

  more(): void {
    if (this.stream.isPaused()) this.stream.resume()
  }

  /** Nothing to do: the connection of a paused stream is still read, so its end is heard. */
  probe(): void {}

  protected end(reason: PinholeError): void {
    this.#sending?.ended(reason)
  }

  protected close(): void {
    this.#sending?.close()
  }
}

class GrpcSource implements MessageSource {
  readonly frames = new FrameReader()
  readonly #maxMessageBytes: number

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes
  }

  size(): number | PinholeError | undefined {
    const size = this.frames.length()
    if (size === undefined) {
      this.frames.next() // keeps the piece of a prefix until more comes
      return undefined
    }
    if (this.frames.compressed) return compressed
    const max = this.#maxMessageBytes
    return size > max + ENVELOPE_BYTES ? tooLarge(size, max) : size
  }

  take(first: boolean): SentMessage | PinholeError | undefined {
    const frame = this.frames.next()
    if (!frame) return undefined
    if (!first) {
      const msg = cipherBoxMsg(frame)
      return msg ? { streamId: frame, msg } : malformed
    }
    const box = decodeCipherBox(frame)
    return box ? firstMessage(box) : malformed
  }
}

class GrpcReceive extends GrpcStream implements ReceivingFace {
  readonly #receiving: Receiving
  #desc: Uint8Array = new Uint8Array(0)

  constructor(relay: Relay, call: IncomingCall) {
    super(relay, call)
    this.#receiving = new Receiving(relay, this)
    const account = relay.enter(this, call.address)
    if (account instanceof PinholeError) {
      this.call.end(status(account))
      return
    }
    readRequest(relay, call, (request) => {
      if (request instanceof PinholeError) return this.end(request)
      const desc = decodeCipherBoxDesc(request)
      if (!desc) return this.end(malformed)
      this.#desc = encodeDescField(desc.streamId)
      this.#receiving.claim(desc.streamId)
    })
  }

  opened(): void {
    this.call.open()
  }

  write(messages: readonly Uint8Array[], bytes: number, done: (written: boolean) => void): void {
    const desc = this.#desc
    const perMessage = FRAME_PREFIX_BYTES + desc.length + MAX_MSG_HEADER_BYTES
    const out = Buffer.allocUnsafe(bytes + messages.length * perMessage)
    let at = 0
    for (const message of messages) {
      at = writePrefix(out, at, desc.length + msgFieldBytes(message.length))
      out.set(desc, at)
      at = writeMsgField(out, at + desc.length, message)
    }
    this.stream.write(out.subarray(0, at), (error) => done(!error))
  }

  protected end(reason: PinholeError): void {
    this.#receiving.ended(reason)
  }

  protected close(): void {
    this.#receiving.close()
  }
}

/** Tag and length of a `msg` field take at most so much. */
const MAX_MSG_HEADER_BYTES = 6
