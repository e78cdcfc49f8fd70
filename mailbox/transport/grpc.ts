/**
 * A relay over gRPC (LNC §10.1): SendStream and RecvStream are two HTTP/2 streams of one connection. On our
 * own HTTP/2: node:http2 stops reading while a write is pending, and so misses that a busy line has died.
 */
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
import { Http2Code } from '../../src/http2/error.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Http2Stream, StreamFailure } from '../../src/http2/stream.ts'
import { authority, type MailboxAddress } from './address.ts'
import { failure, failureOfHttp, failureOfStatus, type RelayFailure } from './failure.ts'
import { GrpcConnection } from './grpc-connection.ts'
import type { RelayClient, RelayStream, SendStream, StreamEvents } from './relay-client.ts'
import type { RelayTls } from './tls.ts'

/** The largest message taken from a relay: gRPC's usual limit. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const UNARY_TIMEOUT_MS = 8000
/** Time to hand over what was written before a stream is cut. */
const CLOSE_TIMEOUT_MS = 500
/** Bytes of a stream that may wait before its writer does. */
const WAITING_BYTES = 64 * 1024

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
  #connection: GrpcConnection | undefined

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
      this.#connection = new GrpcConnection(this.#address, this.#tls, this.#clock)
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

interface CallEvents extends StreamEvents {
  /** The final status, before `end`. */
  status?(code: number): void
}

/** One gRPC call on the wire. */
class Call {
  readonly #connection: GrpcConnection
  readonly #clock: Clock
  readonly #stream: Http2Stream
  readonly #events: CallEvents
  readonly #reader = new FrameReader()
  #answered = false
  #answer: RelayFailure | undefined
  #silent = false
  #over = false
  #gone: (() => void)[] = []
  #room: Promise<void> | undefined
  #drained: (() => void) | undefined

  constructor(
    connection: GrpcConnection,
    method: HashmailMethod,
    events: CallEvents,
    clock: Clock,
  ) {
    this.#connection = connection
    this.#clock = clock
    this.#events = events
    this.#stream = connection.request(grpcPath(method), {
      headers: (fields, end) => this.#headers(fields, end),
      data: (bytes, end) => this.#data(bytes, end),
      drained: () => this.#drained?.(),
      failed: (failed) => this.#failed(failed),
    })
    connection.onUp(() => this.#tell(() => events.opened()))
  }

  /** Calls `listener` when the call is over, whoever ended it. */
  onGone(listener: () => void): void {
    this.#gone.push(listener)
  }

  /** Writes a message; resolves when HTTP/2's window has room for more. */
  write(message: Uint8Array): Promise<void> {
    const stream = this.#stream
    if (this.#over || stream.ending) return Promise.resolve()
    stream.send(grpcFrame(message), false)
    if (stream.queued < WAITING_BYTES) return Promise.resolve()
    this.#room ??= new Promise((resolve) => {
      this.#drained = () => {
        this.#room = undefined
        this.#drained = undefined
        resolve()
      }
    })
    return this.#room
  }

  /** Writes the only message of a request. */
  finish(message: Uint8Array): void {
    this.#stream.send(grpcFrame(message), true)
  }

  /** Ends the request in order and waits for the relay to do the same, so that nothing written is lost. */
  end(): Promise<void> {
    this.#silent = true
    if (this.#over) return Promise.resolve()
    if (!this.#connection.up) return this.cancel()
    this.#stream.send(new Uint8Array(0), true)
    return new Promise((resolve) => {
      const stop = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#end())
      this.onGone(() => {
        stop()
        resolve()
      })
    })
  }

  /** Breaks the call off. */
  async cancel(): Promise<void> {
    this.#silent = true
    this.#end()
  }

  #tell(event: () => void): void {
    if (!this.#silent) event()
  }

  #headers(fields: readonly Field[], end: boolean): void {
    const field = (name: string) => fields.find((one) => one[0] === name)?.[1]
    if (!this.#answered) {
      const status = Number(field(':status'))
      // RFC 9113 §8.1: interim answers precede the final one.
      if (status >= 100 && status < 200 && !end) return
      this.#answered = true
      this.#answer = this.#refusal(status, field('content-type'))
      if (this.#answer) return this.#end()
      if (!end) return this.#tell(() => this.#events.confirmed())
    }
    if (!end) return
    const code = Number(field('grpc-status') ?? GrpcCode.unknown)
    this.#tell(() => this.#events.status?.(code))
    this.#answer ??= failureOfStatus(code, decodeMessage(field('grpc-message') ?? ''))
    this.#end()
  }

  #refusal(status: number, contentType = ''): RelayFailure | undefined {
    if (status !== 200) return failureOfHttp(status)
    if (contentType.startsWith('application/grpc')) return undefined
    return failure('refused', `${this.#connection.where} is no gRPC server`)
  }

  #data(bytes: Uint8Array, end: boolean): void {
    this.#stream.consume(bytes.length)
    this.#reader.push(bytes)
    while (!this.#over) {
      const length = this.#reader.length() ?? 0
      if (length > MAX_MESSAGE_BYTES || this.#reader.compressed) return this.#garbage()
      const frame = this.#reader.next()
      if (!frame) break
      const message = cipherBoxMsg(frame)
      if (!message) return this.#garbage()
      this.#tell(() => this.#events.message(message))
    }
    if (end) this.#end()
  }

  #garbage(): void {
    this.#answer = failure('refused', `${this.#connection.where} sent what is no hashmail message`)
    this.#end()
  }

  #failed(failed: StreamFailure): void {
    this.#end(failed.kind === 'lost' ? failed.error : new Error(`the stream was ${failed.kind}`))
  }

  /** The call is over: what of its stream still stands is reset. */
  #end(error?: unknown): void {
    if (this.#over) return
    this.#over = true
    const { localClosed, remoteClosed } = this.#stream
    if (!(localClosed && remoteClosed)) this.#stream.reset(Http2Code.cancel)
    this.#drained?.()
    for (const listener of this.#gone.splice(0)) listener()
    this.#tell(() => this.#events.end(this.#answer ?? this.#connection.failure(error)))
    this.#silent = true
  }
}

function decodeMessage(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}
