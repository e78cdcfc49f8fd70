/**
 * A relay over gRPC (LNC §10.1), on `node:http2` itself: SendStream and RecvStream are two HTTP/2
 * streams of one connection, whose windows are opened wide, and a relay without ALPN is accepted, which
 * a gRPC client library refuses.
 */
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'

import { systemClock, type Clock } from '../../src/base/clock.ts'
import { GrpcCode } from '../../src/base/errors.ts'
import { FrameReader, grpcFrame } from '../hashmail/grpc-frame.ts'
import { grpcPath, type HashmailMethod } from '../hashmail/names.ts'
import {
  cipherBoxMsg,
  encodeCipherBox,
  encodeCipherBoxAuth,
  encodeCipherBoxDesc,
} from '../hashmail/proto.ts'
import { authority, type MailboxAddress } from './address.ts'
import { failure, failureOfHttp, failureOfStatus, type RelayFailure } from './failure.ts'
import { failureOfDial, failureOfLoss } from './node-failure.ts'
import type { RelayClient, RelayStream, SendStream, StreamEvents } from './relay-client.ts'
import { tlsOptions, type RelayTls } from './tls.ts'

/** Flow-control window of a stream and of the connection; holds a full window of the largest packets. */
const WINDOW_BYTES = 8 * 1024 * 1024
/** The largest message taken from a relay: gRPC's usual limit. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const DIAL_TIMEOUT_MS = 8000
const UNARY_TIMEOUT_MS = 8000
/** Time to hand over what was written before a stream or connection is cut. */
const CLOSE_TIMEOUT_MS = 500
/** A relay may punish pings more often than once a minute (LNC §10.3). */
const PING_EVERY_MS = 65_000
const PING_TIMEOUT_MS = 10_000

const { NGHTTP2_CANCEL } = constants

/** What a gRPC relay client is made of. */
export interface GrpcRelayOptions extends RelayTls {
  readonly clock?: Clock | undefined
}

/** A client of the relay at `address`; it connects when first used and again after a loss. */
export function grpcRelay(address: MailboxAddress, options: GrpcRelayOptions = {}): RelayClient {
  return new GrpcRelay(address, options)
}

class GrpcRelay implements RelayClient {
  readonly #address: MailboxAddress
  readonly #tls: RelayTls
  readonly #clock: Clock
  readonly #streams = new Set<RelayStream>()
  #connection: Connection | undefined

  constructor(address: MailboxAddress, options: GrpcRelayOptions) {
    this.#address = address
    this.#tls = options
    this.#clock = options.clock ?? systemClock
  }

  receive(streamId: Uint8Array, events: StreamEvents): RelayStream {
    const call = this.#call('RecvStream', events)
    call.finish(encodeCipherBoxDesc(streamId))
    return this.#track(call, { close: () => call.cancel() })
  }

  send(streamId: Uint8Array, events: StreamEvents): SendStream {
    const call = this.#call('SendStream', events)
    return this.#track(call, {
      write: (message: Uint8Array) => call.write(encodeCipherBox(streamId, message)),
      close: () => call.end(),
    })
  }

  createBox(streamId: Uint8Array): Promise<RelayFailure | undefined> {
    return this.#unary('NewCipherBox', streamId, GrpcCode.alreadyExists)
  }

  async deleteBox(streamId: Uint8Array): Promise<RelayFailure | undefined> {
    const failed = await this.#unary('DelCipherBox', streamId)
    return failed?.kind === 'not-found' ? undefined : failed
  }

  async close(): Promise<void> {
    await Promise.all([...this.#streams].map((stream) => stream.close()))
    await this.#connection?.close()
  }

  #call(method: HashmailMethod, events: CallEvents): Call {
    if (!this.#connection?.usable) {
      this.#connection = new Connection(this.#address, this.#tls, this.#clock)
    }
    return new Call(this.#connection, method, events, this.#clock)
  }

  #unary(
    method: HashmailMethod,
    streamId: Uint8Array,
    alsoFine?: number,
  ): Promise<RelayFailure | undefined> {
    return new Promise((resolve) => {
      const expire = this.#clock.after(UNARY_TIMEOUT_MS, () => {
        done(failure('unreachable', `${authority(this.#address)} does not answer`))
        void call.cancel()
      })
      const done = (failed: RelayFailure | undefined) => {
        expire()
        resolve(failed)
      }
      const fine = (code: number) => code === GrpcCode.ok || code === alsoFine
      const events = { opened() {}, confirmed() {}, message() {}, end: done }
      const call = this.#call(method, {
        ...events,
        status: (code) => fine(code) && done(undefined),
      })
      call.finish(encodeCipherBoxAuth(streamId))
    })
  }

  #track<S extends RelayStream>(call: Call, stream: S): S {
    this.#streams.add(stream)
    call.onGone(() => this.#streams.delete(stream))
    return stream
  }
}

/** One HTTP/2 connection; unusable for good once it has failed. */
class Connection {
  readonly where: string
  readonly session: ClientHttp2Session
  readonly #clock: Clock
  #spoken = false
  #error: unknown
  #stopTimer: () => void

  constructor(address: MailboxAddress, tls: RelayTls, clock: Clock) {
    this.where = authority(address)
    this.#clock = clock
    this.session = connect(`${address.tls ? 'https' : 'http'}://${this.where}`, {
      ...tlsOptions(tls),
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    })
    this.#stopTimer = clock.after(DIAL_TIMEOUT_MS, () => {
      this.session.destroy(new Error('timed out'))
    })
    this.session.on('connect', () => {
      this.session.setLocalWindowSize(WINDOW_BYTES)
      this.#pingLater()
    })
    // Anything may accept a connection; SETTINGS come from an HTTP/2 server only.
    this.session.once('remoteSettings', () => (this.#spoken = true))
    this.session.on('error', (error: unknown) => {
      this.#error = error
    })
    this.session.on('close', () => this.#stopTimer())
  }

  get usable(): boolean {
    return !this.session.closed && !this.session.destroyed
  }

  /** Why streams without an answer of their own have ended. */
  failure(streamError: unknown): RelayFailure {
    // A stream that waited for the connection hears of its failure first, as the cause.
    const cause = streamError instanceof Error ? streamError.cause : undefined
    const error = this.#error ?? cause ?? streamError
    return this.#spoken ? failureOfLoss(error, this.where) : failureOfDial(error, this.where)
  }

  async close(): Promise<void> {
    if (this.session.destroyed) return
    await new Promise<void>((resolve) => {
      const cut = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.session.destroy())
      this.session.once('close', () => {
        cut()
        resolve()
      })
      this.session.close()
    })
  }

  #pingLater(): void {
    this.#stopTimer()
    this.#stopTimer = this.#clock.after(PING_EVERY_MS, () => {
      this.#stopTimer = this.#clock.after(PING_TIMEOUT_MS, () => {
        this.session.destroy(new Error('no answer to a ping'))
      })
      if (this.usable) this.session.ping((error) => error ?? this.#pingLater())
    })
  }
}

interface CallEvents extends StreamEvents {
  /** The final status, before `end`. */
  status?(code: number): void
}

/** One gRPC call on the wire. */
class Call {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #stream: ClientHttp2Stream
  readonly #events: CallEvents
  readonly #reader = new FrameReader()
  #answer: RelayFailure | undefined
  #error: unknown
  #silent = false
  #room: Promise<void> | undefined

  constructor(connection: Connection, method: HashmailMethod, events: CallEvents, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#events = events
    this.#stream = connection.session.request({
      ':method': 'POST',
      ':path': grpcPath(method),
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const stream = this.#stream
    const opened = () => this.#tell(() => events.opened())
    // On a connection that stands, `ready` has come and gone.
    if (stream.pending) stream.once('ready', opened)
    else queueMicrotask(opened)
    stream.on('response', (headers) => this.#respond(headers))
    stream.on('trailers', (trailers: IncomingHttpHeaders) => this.#finishWith(trailers))
    stream.on('data', (chunk: Buffer) => this.#read(chunk))
    stream.on('error', (error: unknown) => {
      this.#error = error
    })
    stream.on('close', () => this.#closed())
  }

  /** Calls `listener` when the call is over, whoever ended it. */
  onGone(listener: () => void): void {
    this.#stream.once('close', listener)
  }

  /** Writes a message; resolves when HTTP/2's window has room for more. */
  write(message: Uint8Array): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) return Promise.resolve()
    if (this.#stream.write(grpcFrame(message))) return Promise.resolve()
    this.#room ??= this.#drained().finally(() => (this.#room = undefined))
    return this.#room
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        this.#stream.off('drain', go).off('close', go)
        resolve()
      }
      this.#stream.on('drain', go).on('close', go)
    })
  }

  /** Writes the only message of a request. */
  finish(message: Uint8Array): void {
    this.#stream.end(grpcFrame(message))
  }

  /** Ends the request in order and waits for the relay to do the same, so that nothing written is lost. */
  async end(): Promise<void> {
    this.#silent = true
    if (this.#stream.destroyed) return
    this.#stream.end()
    await this.#gone(this.#stream.pending ? 0 : CLOSE_TIMEOUT_MS)
  }

  /** Breaks the call off. */
  async cancel(): Promise<void> {
    this.#silent = true
    await this.#gone(0)
  }

  #gone(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed) return resolve()
      const cut = () => this.#stream.close(NGHTTP2_CANCEL)
      const stop = this.#clock.after(patienceMs, cut)
      this.#stream.once('close', () => {
        stop()
        resolve()
      })
      if (patienceMs === 0) cut()
    })
  }

  #tell(event: () => void): void {
    if (!this.#silent) event()
  }

  #respond(headers: IncomingHttpHeaders): void {
    const status = Number(headers[':status'])
    const grpc = headers['content-type']?.startsWith('application/grpc') ?? false
    if (status !== 200) this.#answer = failureOfHttp(status)
    else if (!grpc) this.#answer = failure('refused', `${this.#connection.where} is no gRPC server`)
    else if (headers['grpc-status'] !== undefined) this.#finishWith(headers)
    else return this.#tell(() => this.#events.confirmed())
    void this.#stream.resume()
    if (!this.#stream.writableEnded) this.#stream.end()
  }

  #finishWith(trailers: IncomingHttpHeaders): void {
    const code = Number(trailers['grpc-status'] ?? GrpcCode.unknown)
    this.#tell(() => this.#events.status?.(code))
    this.#answer ??= failureOfStatus(code, decodeMessage(trailers['grpc-message']))
    if (!this.#stream.writableEnded) this.#stream.end()
  }

  #read(chunk: Uint8Array): void {
    if (this.#answer) return
    this.#reader.push(chunk)
    for (;;) {
      const length = this.#reader.length() ?? 0
      if (length > MAX_MESSAGE_BYTES || this.#reader.compressed) return this.#garbage()
      const frame = this.#reader.next()
      if (!frame) return
      const message = cipherBoxMsg(frame)
      if (!message) return this.#garbage()
      this.#tell(() => this.#events.message(message))
    }
  }

  #garbage(): void {
    this.#answer = failure('refused', `${this.#connection.where} sent what is no hashmail message`)
    this.#stream.close(NGHTTP2_CANCEL)
  }

  #closed(): void {
    this.#tell(() => this.#events.end(this.#answer ?? this.#connection.failure(this.#error)))
    this.#silent = true
  }
}

function decodeMessage(header: string | string[] | undefined): string {
  const encoded = typeof header === 'string' ? header : ''
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}
