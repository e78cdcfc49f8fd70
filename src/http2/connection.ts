/**
 * One HTTP/2 connection, RFC 9113, as a core without sockets or timers: bytes go in by `receive`,
 * messages come out by `take`. Both roles: a gRPC client towards the node, a server for the forwarder.
 * Left out, for gRPC uses neither: priority, server push.
 */
import { PinholeError } from '../base/errors.ts'
import { Http2Code, Http2Error, http2CodeName } from './error.ts'
import { Flag, FrameReader, FrameType, PREFACE, Setting, readUint32, type Frame } from './frame.ts'
import { HeaderBlocks, unpadded, type HeaderList } from './header-blocks.ts'
import type { Literals } from './hpack-encoder.ts'
import type { Field } from './hpack-table.ts'
import * as limits from './limits.ts'
import { ReceiveWindow } from './receive-window.ts'
import { DEFAULT_WINDOW_BYTES, Sender } from './sender.ts'
import { applySettings } from './settings.ts'
import { Http2Stream, type StreamEvents, type StreamHost } from './stream.ts'
import { Streams } from './streams.ts'

/** Payload of a PING, RFC 9113 §6.7. */
const PING_BYTES = 8

/** What a connection needs to know of its ends. */
export interface Http2Options {
  /** A server's: takes a new stream; its first event is the request's header list. */
  readonly accept?: (stream: Http2Stream) => StreamEvents
  /** Called when there may be something for `take`. */
  readonly wake: () => void
  /** Without, those of LNC. */
  readonly limits?: limits.Http2Limits
  /** Fields that are never put into the peer's table. */
  readonly literals?: Literals
}

/** A connection: with `accept` the server's end, without the client's. */
export class Http2Connection implements StreamHost {
  readonly #options: Http2Options
  readonly #streams: Streams
  readonly #sender: Sender
  readonly #frames = new FrameReader()
  readonly #limits: limits.Http2Limits
  readonly #blocks: HeaderBlocks
  readonly #window: ReceiveWindow
  #preface: Uint8Array | undefined
  #prefaceRead: number
  #settled = false
  /** Answers written since the last `take`. */
  #acks = 0
  #state: 'open' | 'draining' | 'ended' = 'open'

  constructor(options: Http2Options) {
    const server = options.accept !== undefined
    this.#options = options
    this.#limits = options.limits ?? limits.LNC_LIMITS
    const { streamWindowBytes, connectionWindowBytes, headerListBytes } = this.#limits
    this.#blocks = new HeaderBlocks(headerListBytes)
    this.#window = new ReceiveWindow(connectionWindowBytes)
    this.#streams = new Streams(server ? 'server' : 'client', (stream) => this.#start(stream))
    this.#sender = new Sender((stream) => this.#forgetIfDone(stream), options.literals)
    this.#preface = server ? undefined : PREFACE
    this.#prefaceRead = server ? 0 : PREFACE.length
    this.#sender.writer.settings([
      server
        ? [Setting.maxConcurrentStreams, limits.MAX_CONCURRENT_STREAMS]
        : [Setting.enablePush, 0],
      [Setting.initialWindowSize, streamWindowBytes],
      [Setting.maxHeaderListSize, headerListBytes],
    ])
    const more = connectionWindowBytes - DEFAULT_WINDOW_BYTES
    this.#sender.writer.number(FrameType.windowUpdate, 0, more)
  }

  /** Whether `request` may be called: not after GOAWAY, `drain` or `end`. */
  get open(): boolean {
    return this.#state === 'open' && !this.#streams.usedUp
  }

  /** Whether the connection is over: ended, or closed to new streams and without one left. */
  get done(): boolean {
    return this.#state === 'ended' || (!this.open && this.#streams.size === 0)
  }

  /** Whether the peer's SETTINGS have come: it speaks HTTP/2. */
  get settled(): boolean {
    return this.#settled
  }

  /** Streams that are open, or wait until the peer allows them. */
  get streams(): number {
    return this.#streams.size
  }

  /** How many streams the peer allows at once; infinite until it says. */
  get streamLimit(): number {
    return this.#streams.allowed
  }

  /** Asks the peer for a sign of life; whatever it sends next is one. */
  ping(): void {
    if (this.#state === 'ended') return
    this.#sender.writer.frame(FrameType.ping, 0, 0, new Uint8Array(PING_BYTES))
    this.#options.wake()
  }

  /**
   * Starts a request with the header list `fields`, plus `passing`, which change with each call. The same
   * `fields` array is cheap to send again. With `end` it has no body. Only while `open`.
   */
  request(
    fields: readonly Field[],
    events: StreamEvents,
    passing: readonly Field[] = [],
    end = false,
  ): Http2Stream {
    if (!this.open) throw new TypeError('a request on a connection that is not open')
    const stream = new Http2Stream(this, this.#limits.streamWindowBytes, () => events)
    stream.head = { fields, passing }
    stream.ending = end
    this.#streams.enter(stream)
    return stream
  }

  /** The next message of at most `maxBytes` bytes. A client's preface is a message of its own (LNC §12). */
  take(maxBytes: number): Uint8Array | undefined {
    const preface = this.#preface
    this.#preface = undefined
    this.#acks = 0
    return preface ?? this.#sender.take(maxBytes)
  }

  /** Takes bytes of the peer. Throws `Http2Error` when they break the protocol: then call `end`. */
  receive(bytes: Uint8Array): void {
    const rest = this.#prefaceRead < PREFACE.length ? this.#readPreface(bytes) : bytes
    this.#frames.read(rest, (frame) => this.#take(frame))
  }

  /** Takes no more streams, tells the peer so, and lets those under way finish. */
  drain(): void {
    if (this.#state !== 'open') return
    this.#state = 'draining'
    this.#sender.writer.goAway(this.#streams.lastPeerId, Http2Code.noError)
    this.#options.wake()
  }

  /** Ends every stream. `error` is why; an `Http2Error` is told to the peer. */
  end(error?: PinholeError): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const code = error instanceof Http2Error ? error.http2 : Http2Code.noError
    this.#sender.writer.goAway(this.#streams.lastPeerId, code)
    this.#streams.failAbove(0, { kind: 'lost', error })
    this.#options.wake()
  }

  /** @internal */
  push(stream: Http2Stream): void {
    this.#sender.push(stream)
    this.#options.wake()
  }

  /** @internal */
  abandon(stream: Http2Stream, code: number): void {
    stream.close()
    if (this.#streams.remove(stream)) this.#reset(stream.id, code)
  }

  /** @internal */
  credit(stream: Http2Stream, bytes: number): void {
    if (this.#limits.sharesWindow) this.#creditConnection(bytes)
    if (!stream.remoteClosed) this.#update(stream.id, stream.receiveWindow.credit(bytes))
  }

  #creditConnection(bytes: number): void {
    this.#update(0, this.#window.credit(bytes))
  }

  #update(id: number, increment: number): void {
    if (increment === 0 || this.#state === 'ended') return
    this.#sender.writer.number(FrameType.windowUpdate, id, increment)
    this.#options.wake()
  }

  #reset(id: number, code: number): void {
    this.#sender.writer.number(FrameType.rstStream, id, code)
    this.#options.wake()
  }

  #start(stream: Http2Stream): void {
    stream.sendWindow = this.#sender.initialWindow
    this.push(stream)
  }

  #forgetIfDone(stream: Http2Stream): void {
    if (stream.localClosed && stream.remoteClosed) this.#streams.remove(stream)
  }

  #readPreface(bytes: Uint8Array): Uint8Array {
    const wanted = PREFACE.subarray(this.#prefaceRead, this.#prefaceRead + bytes.length)
    if (wanted.some((byte, at) => byte !== bytes[at])) {
      throw new Http2Error(Http2Code.protocolError, 'no HTTP/2 preface')
    }
    this.#prefaceRead += wanted.length
    return bytes.subarray(wanted.length)
  }

  #take(frame: Frame): void {
    if (this.#state === 'ended') return
    this.#blocks.check(frame)
    if (!this.#settled) this.#settled = mustBeSettings(frame)
    switch (frame.type) {
      case FrameType.data:
        return this.#onData(frame)
      case FrameType.headers:
      case FrameType.continuation:
        return this.#onHeaders(frame)
      case FrameType.rstStream:
        return this.#onReset(frame)
      case FrameType.settings:
        return this.#onSettings(frame)
      case FrameType.pushPromise:
        throw new Http2Error(Http2Code.protocolError, 'a push')
      case FrameType.ping:
        return this.#onPing(frame)
      case FrameType.goAway:
        return this.#onGoAway(frame)
      case FrameType.windowUpdate:
        return this.#onWindowUpdate(frame)
      default:
        // RFC 9113 §4.1, §5.5: PRIORITY and unknown types are ignored.
        return
    }
  }

  #onData(frame: Frame): void {
    const stream = this.#streams.find(frame.stream)
    const size = frame.payload.length
    const body = unpadded(frame)
    this.#window.take(size)
    // Body of a stream that was reset meanwhile: only the connection's window counts.
    const isLate = !stream || stream.remoteClosed
    if (isLate || !this.#limits.sharesWindow) this.#creditConnection(size)
    if (isLate) return
    stream.receiveWindow.take(size)
    if (size > body.length) this.credit(stream, size - body.length)
    stream.remoteClosed = (frame.flags & Flag.endStream) !== 0
    stream.events.data(body, stream.remoteClosed)
    this.#forgetIfDone(stream)
  }

  #onHeaders(frame: Frame): void {
    const list = this.#blocks.add(frame)
    if (!list) return
    const stream = this.#streams.isNew(list.stream)
      ? this.#accept(list)
      : this.#streams.find(list.stream)
    if (!stream || stream.remoteClosed) return
    stream.remoteClosed = list.end
    stream.events.headers(list.fields, list.end)
    this.#forgetIfDone(stream)
  }

  #accept(list: HeaderList): Http2Stream | undefined {
    const admitted = this.#streams.admit(list.stream)
    const accept = this.#options.accept
    if (!admitted || !accept || this.#state !== 'open') {
      this.#countAck()
      this.#reset(list.stream, Http2Code.refusedStream)
      return undefined
    }
    const stream = new Http2Stream(this, this.#limits.streamWindowBytes, accept)
    stream.id = list.stream
    stream.sendWindow = this.#sender.initialWindow
    this.#streams.add(stream)
    return stream
  }

  #onReset(frame: Frame): void {
    if (frame.payload.length !== 4) throw wrongSize('RST_STREAM')
    const stream = this.#streams.find(frame.stream)
    if (!stream) return
    const code = readUint32(frame.payload, 0)
    const refused = code === Http2Code.refusedStream
    this.#streams.fail(stream, refused ? { kind: 'refused' } : { kind: 'reset', code })
  }

  #onSettings(frame: Frame): void {
    if (frame.stream !== 0) throw new Http2Error(Http2Code.protocolError, 'SETTINGS of a stream')
    if ((frame.flags & Flag.ack) !== 0) return
    applySettings(frame.payload, this.#sender, this.#streams)
    this.#countAck()
    this.#sender.writer.frame(FrameType.settings, Flag.ack, 0, new Uint8Array(0))
    this.#options.wake()
  }

  #onPing(frame: Frame): void {
    if (frame.payload.length !== PING_BYTES) throw wrongSize('PING')
    if ((frame.flags & Flag.ack) !== 0) return
    this.#countAck()
    this.#sender.writer.frame(FrameType.ping, Flag.ack, 0, frame.payload)
    this.#options.wake()
  }

  #onGoAway(frame: Frame): void {
    if (frame.payload.length < 8) throw wrongSize('GOAWAY')
    const code = readUint32(frame.payload, 4)
    // RFC 9113 §5.4.1: the peer has met a fault and closes.
    if (code !== Http2Code.noError) throw closedByPeer(code)
    if (this.#state === 'open') this.#state = 'draining'
    this.#streams.failAbove(readUint32(frame.payload, 0) & 0x7fffffff, { kind: 'refused' })
  }

  #onWindowUpdate(frame: Frame): void {
    if (frame.payload.length !== 4) throw wrongSize('WINDOW_UPDATE')
    const stream = frame.stream === 0 ? undefined : this.#streams.find(frame.stream)
    if (frame.stream !== 0 && !stream) return
    const increment = readUint32(frame.payload, 0) & 0x7fffffff
    if (increment === 0) throw new Http2Error(Http2Code.protocolError, 'WINDOW_UPDATE of 0')
    this.#sender.grant(stream, increment)
    this.#options.wake()
  }

  /** A peer that asks for answers and never takes them would fill memory. */
  #countAck(): void {
    if (++this.#acks <= limits.MAX_WAITING_ACKS) return
    throw new Http2Error(Http2Code.enhanceYourCalm, 'a flood of frames that want an answer')
  }
}

/** RFC 9113 §3.4: SETTINGS come first. */
function mustBeSettings(frame: Frame): true {
  if (frame.type === FrameType.settings) return true
  throw new Http2Error(Http2Code.protocolError, 'no SETTINGS at first')
}

const closedByPeer = (code: number): PinholeError =>
  new PinholeError('ERR_HTTP2_FRAME', `the peer gave HTTP/2 up: ${http2CodeName(code)}`)

const wrongSize = (what: string): Http2Error =>
  new Http2Error(Http2Code.frameSizeError, `${what} of a wrong size`)
