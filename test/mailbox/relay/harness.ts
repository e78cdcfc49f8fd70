/** A relay on port 0 and small clients for its three faces, for tests. */
import assert from 'node:assert/strict'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import WebSocket from 'ws'
import { FrameReader, grpcFrame } from '../../../mailbox/hashmail/grpc-frame.ts'
import * as json from '../../../mailbox/hashmail/json.ts'
import * as names from '../../../mailbox/hashmail/names.ts'
import * as proto from '../../../mailbox/hashmail/proto.ts'
import { mailboxRelay, type RelayOptions } from '../../../mailbox/relay/plugin.ts'

/** One relay on two ports' worth of servers: HTTP/2 for gRPC, HTTP/1.1 for the rest, boxes apart. */
export interface TestRelay {
  readonly app: FastifyInstance
  readonly port: number
  close(): Promise<void>
}

type AnyServer = Parameters<FastifyInstance['register']>[0]

export async function startRelay(
  protocol: 'http1' | 'http2',
  options: RelayOptions = {},
): Promise<TestRelay> {
  const app =
    protocol === 'http2' ? (fastify({ http2: true }) as unknown as FastifyInstance) : fastify()
  await app.register(mailboxRelay as AnyServer, options)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { app, port, close: () => app.close() }
}

/** The two servers of one relay: the plugin on HTTP/2 with the HTTP/1.1 server's sockets put in front. */
export async function startBothFaces(
  options: RelayOptions = {},
): Promise<{ h1: number; h2: number; close: () => Promise<void> }> {
  const h2 = http2.createServer()
  const app = fastify({
    serverFactory: (handler) => {
      const server = http.createServer(handler)
      h2.on('request', handler as unknown as Parameters<typeof h2.on>[1])
      return server
    },
  })
  await app.register(mailboxRelay, options)
  const sessions = new Set<http2.ServerHttp2Session>()
  h2.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.once('close', () => sessions.delete(session))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  await new Promise<void>((resolve) => h2.listen(0, '127.0.0.1', resolve))
  return {
    h1: (app.server.address() as AddressInfo).port,
    h2: (h2.address() as AddressInfo).port,
    close: async () => {
      await app.close()
      for (const session of sessions) session.close()
      await new Promise((resolve) => h2.close(resolve))
    },
  }
}

/** How a gRPC call ended. */
export interface GrpcEnd {
  readonly code: number
  readonly message: string
  /** Whether the status came with the headers. */
  readonly trailersOnly: boolean
}

/** A gRPC call on a bare HTTP/2 stream. */
export class GrpcCallClient {
  readonly stream: http2.ClientHttp2Stream
  readonly opened: Promise<void>
  readonly ended: Promise<GrpcEnd>
  readonly #queue = new Queue<Uint8Array>()

  constructor(
    session: http2.ClientHttp2Session,
    method: string,
    headers: http2.OutgoingHttpHeaders = {},
  ) {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${names.HASHMAIL_SERVICE}/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    this.stream = stream
    stream.on('error', () => {})
    const frames = new FrameReader()
    stream.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      for (let m = frames.next(); m; m = frames.next()) this.#queue.push(Buffer.from(m))
    })
    this.opened = new Promise((resolve) => stream.once('response', () => resolve()))
    this.ended = new Promise((resolve) => {
      const end = (fields: http2.IncomingHttpHeaders, trailersOnly: boolean): void => {
        if (fields['grpc-status'] === undefined) return
        const message = decodeURIComponent(String(fields['grpc-message'] ?? ''))
        const ended = { code: Number(fields['grpc-status']), message, trailersOnly }
        // Not within Node's reading of the frame: a test that destroys the session there, as a promise
        // would let it, has Node 20 use memory that is free (nodejs/node#64113).
        setImmediate(() => resolve(ended))
      }
      stream.on('response', (fields) => end(fields, true))
      stream.on('trailers', (fields: http2.IncomingHttpHeaders) => end(fields, false))
      const reset = { code: -1, message: 'reset', trailersOnly: false }
      stream.once('close', () => setImmediate(() => resolve(reset)))
    })
  }

  /** Sends one message; resolves when it has been written. */
  send(message: Uint8Array): Promise<boolean> {
    return new Promise((resolve) =>
      this.stream.write(grpcFrame(message), (error) => resolve(!error)),
    )
  }

  /** The next message from the relay, as it came. */
  async next(): Promise<Uint8Array> {
    const message = await this.#queue.next()
    await new Promise(setImmediate)
    return message
  }

  /** The `msg` of the next message. */
  async nextMsg(): Promise<Buffer> {
    const box = proto.decodeCipherBox(await this.next()) ?? assert.fail('not a CipherBox')
    return Buffer.from(box.msg)
  }

  cancel(): void {
    this.stream.close(http2.constants.NGHTTP2_CANCEL)
  }
}

/** First in, first out, with waiting. */
export class Queue<T> {
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  push(item: T): void {
    const waiting = this.#waiting.shift()
    if (waiting) waiting(item)
    else this.#items.push(item)
  }

  next(): Promise<T> {
    const item = this.#items.shift()
    return item === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(item)
  }

  get length(): number {
    return this.#items.length
  }
}

export function connectGrpc(port: number): http2.ClientHttp2Session {
  // Node counts what is waiting to be sent too, and would reset streams of a test that sends much.
  const session = http2.connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000 })
  session.on('error', () => {})
  return session
}

/** A unary call. */
export async function unary(
  session: http2.ClientHttp2Session,
  method: names.HashmailMethod,
  request: Uint8Array,
): Promise<GrpcEnd> {
  const call = new GrpcCallClient(session, method)
  call.stream.end(grpcFrame(request))
  return call.ended
}

export async function createBox(session: http2.ClientHttp2Session, id: Uint8Array): Promise<void> {
  const end = await unary(session, 'NewCipherBox', proto.encodeCipherBoxAuth(id))
  assert.deepEqual([end.code, end.message], [0, ''])
}

/** A reader that holds its end once this resolves. */
export async function grpcReader(
  session: http2.ClientHttp2Session,
  id: Uint8Array,
): Promise<GrpcCallClient> {
  const call = new GrpcCallClient(session, 'RecvStream')
  call.stream.end(grpcFrame(proto.encodeCipherBoxDesc(id)))
  await Promise.race([call.opened, call.ended])
  return call
}

/** A WebSocket of the relay. */
export class SocketClient {
  readonly socket: WebSocket
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #texts = new Queue<string>()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (text: Buffer) => this.#texts.push(text.toString()))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
  }

  static async open(port: number, path: string): Promise<SocketClient> {
    const url = `ws://127.0.0.1:${port}${path}${names.WEBSOCKET_QUERY}`
    const client = new SocketClient(new WebSocket(url, { perMessageDeflate: false }))
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve)
      client.socket.once('error', reject)
    })
    return client
  }

  static async reader(port: number, id: Uint8Array): Promise<SocketClient> {
    const client = await SocketClient.open(port, names.REST_RECEIVE_PATH)
    client.socket.send(json.formatCipherBoxDesc(id))
    return client
  }

  nextText(): Promise<string> {
    return this.#texts.next()
  }

  async nextMsg(): Promise<Buffer> {
    const received = json.parseReceived(await this.nextText())
    if (received.kind !== 'message') assert.fail(JSON.stringify(received))
    return Buffer.from(received.box.msg)
  }

  send(id: Uint8Array, msg: Uint8Array): void {
    this.socket.send(json.formatCipherBox(id, msg))
  }
}

/** An HTTP/1.1 request; the answer's status, headers and text. */
export function rest(
  port: number,
  method: string,
  path: string,
  body = '',
  headers: http.OutgoingHttpHeaders = {},
): Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', method, path, headers, agent: false })
    request.once('error', reject)
    request.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      )
    })
    request.end(body)
  })
}

/** A REST receive: its lines as they come. */
export class RestReader {
  readonly #lines = new Queue<string>()
  readonly #request: http.ClientRequest

  constructor(port: number, id: Uint8Array) {
    const path = names.REST_RECEIVE_PATH
    this.#request = http.request({ port, host: '127.0.0.1', method: 'POST', path, agent: false })
    this.#request.on('error', () => {})
    this.#request.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', () => {})
      response.on('data', (part: string) => {
        const lines = (text + part).split('\n')
        text = lines.pop() ?? ''
        for (const line of lines) this.#lines.push(line)
      })
    })
    this.#request.end(json.formatCipherBoxDesc(id))
  }

  nextText(): Promise<string> {
    return this.#lines.next()
  }

  async nextMsg(): Promise<Buffer> {
    const received = json.parseReceived(await this.nextText())
    if (received.kind !== 'message') assert.fail(JSON.stringify(received))
    return Buffer.from(received.box.msg)
  }

  close(): void {
    this.#request.destroy()
  }
}

let lastId = 0
/** A stream id that no other test uses. */
export function freshId(): Buffer {
  const id = Buffer.alloc(names.STREAM_ID_BYTES, 1)
  id.writeUInt32BE(++lastId)
  return id
}

/** Waits until `condition` holds, looking every few milliseconds; fails after two seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
  assert.fail(`never happened: ${what}`)
}
