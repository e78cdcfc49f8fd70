/**
 * The node's end for a node that does not speak LNC: every call that comes over a link goes to its gRPC
 * port and back, header by header and byte by byte: all kinds of calls, trailers, deadlines (they are a
 * header), resets, and the pace of the slower side.
 */
import { GrpcCode, type PinholeError } from '../../src/base/errors.ts'
import { Http2Code } from '../../src/http2/error.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import { runHttp2, type RunningConnection } from '../http2/link-driver.ts'
import type { Http2Stream, StreamEvents, StreamFailure } from '../../src/http2/stream.ts'
import type { Link } from '../link.ts'
import { dialLink, type Target } from './dial.ts'
import type { Metadata } from './rpc.ts'
import { percentEncode } from './status.ts'

/** Where calls go. */
export interface ForwardOptions {
  /** The node's gRPC port; a function is asked at every dialling, and must not throw. */
  readonly target: Target | (() => Target)
  /** Headers put in place of those that the client sends under the same names. */
  readonly metadata?: Metadata
  /** Told of each connection to the node that could not be made, or was lost. */
  readonly onLost?: ((reason: PinholeError) => void) | undefined
}

/**
 * Serves the client at the other end of `link` from the node at `target`. Connects at the first call, and
 * again when the node went away; meanwhile calls end with UNAVAILABLE. Resolves when the link is over.
 */
export async function forwardGrpc(link: Link, options: ForwardOptions): Promise<void> {
  const node = new NodeConnection(options)
  const { closed } = runHttp2(link, (stream) => new ForwardedCall(stream, node))
  await closed
  await node.close()
}

/** The one connection to the node, made anew when it is needed and gone. */
class NodeConnection {
  readonly #options: ForwardOptions
  #dialled: { readonly target: Target; readonly running: RunningConnection } | undefined

  constructor(options: ForwardOptions) {
    this.#options = options
  }

  /** Calls the node with the client's header list. */
  request(fields: readonly Field[], events: StreamEvents): Http2Stream {
    if (!this.#dialled?.running.connection.open) this.#dialled = this.#dial()
    const { running, target } = this.#dialled
    return running.connection.request(requestTo(fields, target, this.#options.metadata), events)
  }

  #dial() {
    const { target: where, onLost } = this.#options
    const target = typeof where === 'function' ? where() : where
    const running = runHttp2(dialLink(target))
    void running.closed.then((reason) => reason && onLost?.(reason))
    return { target, running }
  }

  async close(): Promise<void> {
    await this.#dialled?.running.close()
  }
}

/** One call: the client's stream and the node's, each filling the other. */
class ForwardedCall implements StreamEvents {
  readonly #client: Http2Stream
  readonly #node: NodeConnection
  #answer: NodeAnswer | undefined

  constructor(client: Http2Stream, node: NodeConnection) {
    this.#client = client
    this.#node = node
  }

  headers(fields: readonly Field[], end: boolean): void {
    if (this.#answer) {
      // gRPC clients send no trailers; their end counts.
      if (end) this.#answer.node?.send(new Uint8Array(0), true)
      return
    }
    const answer = new NodeAnswer(this.#client)
    this.#answer = answer
    answer.node = this.#node.request(fields, answer)
    if (end) answer.node.send(new Uint8Array(0), true)
  }

  data(bytes: Uint8Array, end: boolean): void {
    const answer = this.#answer
    if (!answer?.node || answer.ended) return this.#client.consume(bytes.length)
    answer.owed += bytes.length
    answer.node.send(bytes, end)
    if (answer.node.queued === 0) answer.drained()
  }

  /** All of the node's answer has left: it may send on. */
  drained(): void {
    this.#answer?.giveBack()
  }

  failed(failure: StreamFailure): void {
    this.#answer?.cancel(failure.kind === 'reset' ? failure.code : Http2Code.cancel)
  }
}

/** What the node answers, on its way to the client. */
class NodeAnswer implements StreamEvents {
  node: Http2Stream | undefined
  /** The node is done with the call, one way or another. */
  ended = false
  /** Bytes of the client that wait to leave for the node. */
  owed = 0
  #responded = false
  /** Bytes of the node that wait to leave for the client. */
  #unsent = 0
  readonly #client: Http2Stream

  constructor(client: Http2Stream) {
    this.#client = client
  }

  headers(fields: readonly Field[], end: boolean): void {
    if (this.ended) return
    if (!end && !this.#responded) {
      this.#responded = true
      this.#client.respond(fields)
      return
    }
    if (end) this.#finish(fields)
  }

  data(bytes: Uint8Array, end: boolean): void {
    if (this.ended) return this.node?.consume(bytes.length)
    this.#unsent += bytes.length
    this.#client.send(bytes, end)
    if (this.#client.queued === 0) this.giveBack()
    if (end) this.#end()
  }

  drained(): void {
    this.#client.consume(this.owed)
    this.owed = 0
  }

  failed(failure: StreamFailure): void {
    if (this.ended) return
    this.ended = true
    this.drained()
    if (failure.kind === 'reset') return this.#client.reset(failure.code)
    const lost = failure.kind === 'lost' ? failure.error : undefined
    const why = lost?.message ?? 'the connection to the node was closed'
    this.#client.finish([...(this.#responded ? [] : ANSWER), ...unavailable(why)])
  }

  /** The client wants no more. */
  cancel(code: number): void {
    if (this.ended) return
    this.ended = true
    this.node?.reset(code)
    this.giveBack()
  }

  giveBack(): void {
    this.node?.consume(this.#unsent)
    this.#unsent = 0
  }

  #finish(fields: readonly Field[]): void {
    this.#client.finish(fields)
    this.#end()
  }

  #end(): void {
    this.ended = true
    this.drained()
    if (this.node && !this.node.localClosed) this.node.reset(Http2Code.noError)
  }
}

/** Head of an answer that has nothing but trailers. */
const ANSWER: readonly Field[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
]

const unavailable = (why: string): readonly Field[] => [
  ['grpc-status', String(GrpcCode.unavailable)],
  ['grpc-message', percentEncode(why)],
]

/** The client's header list as the node gets it. */
function requestTo(fields: readonly Field[], target: Target, metadata: Metadata = []): Field[] {
  const replaced = new Set(metadata.map(([name]) => name))
  const kept = fields.filter(([name]) => !replaced.has(name))
  return [...kept.map((field) => rewritten(field, target)), ...metadata]
}

function rewritten(field: Field, target: Target): Field {
  if (field[0] === ':authority') return [':authority', `${target.host}:${target.port}`]
  if (field[0] === ':scheme') return [':scheme', target.certificate ? 'https' : 'http']
  return field
}
