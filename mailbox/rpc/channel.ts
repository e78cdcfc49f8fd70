/**
 * The gRPC client of ONE connection, LNC §12: its calls, the macaroon on each of them, its end. A session
 * that heals opens a new channel over each new link.
 *
 * On our own HTTP/2 (mailbox/http2), the same in Node and in a browser, since it is also the fastest. 64
 * calls in parallel with a macaroon of 2 kB over TCP to a server of grpc-go, 2 busy cores (2026-11-21):
 * this 34,100 calls/s at 11 µs of processor each, Go's client 32,900, node:http2 8,800 at 89 µs, node:http2
 * on a stream over a link 10,200 at 78 µs, connect-node 2,000 at 433 µs. `bench/rpc.ts` measures this and node:http2 anew.
 */
import { systemClock, type Clock } from '../../src/base/clock.ts'
import type { PinholeError } from '../../src/base/errors.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import { runHttp2, type RunningConnection } from '../http2/link-driver.ts'
import type { Http2Stream } from '../../src/http2/stream.ts'
import type { Link } from '../link.ts'
import { Call, type Answers } from './call.ts'
import { MAX_ANSWER_BYTES, frameMessage } from './messages.ts'
import { requestFields, timeoutField } from './metadata.ts'
import { timeoutError, unprocessedError } from './node-error.ts'
import { type CallOptions, checkDeadline, type Metadata, type Rpc } from './rpc.ts'
import { StreamAnswers } from './stream-call.ts'
import { UnaryAnswer } from './unary-call.ts'

/** What a channel can be told. */
export interface ChannelOptions {
  /** Sent with every call: the newest auth data, by `parseAuthData`. */
  readonly metadata?: Metadata
  /** Largest answer in bytes; default `MAX_ANSWER_BYTES`. */
  readonly maxAnswerBytes?: number
  readonly clock?: Clock
}

/** Calls over one connection. */
export interface Channel extends Rpc {
  /** Resolves once the connection is over: why, or nothing when either end closed it in order. */
  readonly closed: Promise<PinholeError | undefined>
  /** Ends the calls under way and closes the link. Idempotent. */
  close(): Promise<void>
}

/** Starts gRPC as the client's end of `link`; ready at once. */
export function openChannel(link: Link, options: ChannelOptions = {}): Channel {
  return new LinkChannel(link, options)
}

/** Methods whose header lists are kept; the node has some 250. */
const MAX_KEPT_PATHS = 512
/** What a timer can wait, 24 days, less what `grpc-timeout` is rounded up by: beyond, grpc-js fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1 - 3_600_000
/** Bytes of a request stream that may wait before its source is asked for more. */
const REQUEST_BUFFER_BYTES = 256 * 1024

class LinkChannel implements Channel {
  readonly closed: Promise<PinholeError | undefined>
  readonly #http2: RunningConnection
  readonly #metadata: Metadata
  readonly #maxAnswerBytes: number
  readonly #clock: Clock
  /** Header list by path: the encoder sends the same array again at the price of its bytes. */
  #fields = new Map<string, readonly Field[]>()

  constructor(link: Link, options: ChannelOptions) {
    this.#metadata = options.metadata ?? []
    this.#maxAnswerBytes = options.maxAnswerBytes ?? MAX_ANSWER_BYTES
    this.#clock = options.clock ?? systemClock
    this.#http2 = runHttp2(link)
    this.closed = this.#http2.closed
  }

  close(): Promise<void> {
    return this.#http2.close()
  }

  unary(path: string, request: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const answer = new UnaryAnswer(path, resolve, reject)
      const call = new Call(path, this.#maxAnswerBytes, answer)
      const stream = this.#start(path, call, answer, options)
      stream?.send(frameMessage(request), true)
    })
  }

  stream(
    path: string,
    requests: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): AsyncIterable<Uint8Array> {
    const answers: StreamAnswers = new StreamAnswers(() => call.cancel(undefined))
    const call = new Call(path, this.#maxAnswerBytes, answers)
    const stream = this.#start(path, call, answers, options)
    if (stream && requests instanceof Uint8Array) stream.send(frameMessage(requests), true)
    else if (stream) void sendAll(requests as AsyncIterable<Uint8Array>, stream, call, answers)
    return answers
  }

  /** Sends the headers; `undefined` when the call has failed already. Throws `TypeError` for bad options. */
  #start(
    path: string,
    call: Call,
    answers: Answers & { stream: Http2Stream | undefined },
    { metadata, signal, timeoutMs }: CallOptions,
  ): Http2Stream | undefined {
    checkDeadline(timeoutMs)
    const fields = this.#headerList(path, metadata)
    const limited = timeoutMs !== undefined && timeoutMs <= MAX_TIMEOUT_MS
    const passing = limited ? [timeoutField(timeoutMs)] : []
    if (signal?.aborted) call.cancel(signal.reason)
    else if (limited && timeoutMs <= 0) call.cancel(timeoutError(path))
    else if (!this.#http2.connection.open) call.cancel(unprocessedError(path))
    if (call.ended) return undefined
    const stream = this.#http2.connection.request(fields, call, passing)
    call.start(stream)
    answers.stream = stream
    if (signal) abortWith(signal, call)
    if (limited) {
      call.onEnd(this.#clock.after(timeoutMs, () => call.cancel(timeoutError(path))))
    }
    return stream
  }

  #headerList(path: string, metadata: Metadata = []): readonly Field[] {
    if (metadata.length > 0) return requestFields(path, [...this.#metadata, ...metadata])
    const kept = this.#fields.get(path)
    if (kept) return kept
    const fields = requestFields(path, this.#metadata)
    if (this.#fields.size >= MAX_KEPT_PATHS) this.#fields.clear()
    this.#fields.set(path, fields)
    return fields
  }
}

function abortWith(signal: AbortSignal, call: Call): void {
  const abort = () => call.cancel(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  call.onEnd(() => signal.removeEventListener('abort', abort))
}

/** Sends a stream of requests at the pace of the connection; stops when the call has ended. */
async function sendAll(
  requests: AsyncIterable<Uint8Array>,
  stream: Http2Stream,
  call: Call,
  answers: StreamAnswers,
): Promise<void> {
  try {
    for await (const request of requests) {
      if (call.ended) return
      stream.send(frameMessage(request), false)
      if (stream.queued > REQUEST_BUFFER_BYTES) await answers.sent()
    }
    stream.send(new Uint8Array(0), true)
  } catch (reason) {
    call.cancel(reason)
  }
}
