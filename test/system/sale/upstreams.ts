/** What is sold: an HTTP, a gRPC and a WebSocket service, each of which refuses whom it can see paying. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import grpc from '@grpc/grpc-js'
import { WebSocketServer } from 'ws'
import { Digest, patternChunks } from '../../interop/echo-pattern.ts'

/** Bytes of a download. */
export const FILE_BYTES = 1024 * 1024
/** What the cheap service says. */
export const WORDS = 'paid for\n'
/** Between two lines of a stream that counts. */
export const TICK_MS = 50
/** Messages of a streamed answer. */
export const DOWN_MESSAGES = 20

/** Where the upstreams listen, as `host:port`. */
export interface Upstreams {
  readonly http: string
  readonly grpc: string
  readonly webSocket: string
  close(): Promise<void>
}

/** Messages are bytes as they are. */
export const BYTES = {
  requestSerialize: (message: Buffer) => message,
  requestDeserialize: (message: Buffer) => message,
  responseSerialize: (message: Buffer) => message,
  responseDeserialize: (message: Buffer) => message,
}

const method = (name: string, requestStream: boolean, responseStream: boolean) => {
  return { path: `/pinhole.test.Shop/${name}`, requestStream, responseStream, ...BYTES }
}

/** The four kinds of calls. */
export const SHOP = {
  unary: method('Unary', false, false),
  down: method('Down', false, true),
  up: method('Up', true, false),
  both: method('Both', true, true),
} as const satisfies grpc.ServiceDefinition

/** Starts them on free ports. */
export async function startUpstreams(): Promise<Upstreams> {
  const web = http.createServer((request, response) => void serve(request, response))
  const sockets = http.createServer((_request, response) => response.writeHead(426).end())
  const verifyClient = ({ req }: { req: http.IncomingMessage }) => isClean(req)
  const counting = new WebSocketServer({ server: sockets, verifyClient })
  counting.on('connection', (socket) => {
    socket.on('message', (message: Buffer) => socket.send(message.toString()))
    socket.on('error', () => undefined)
  })
  const calls = new grpc.Server()
  calls.addService(SHOP, implementation)
  const port = await new Promise<number>((resolve, reject) => {
    const insecure = grpc.ServerCredentials.createInsecure()
    calls.bindAsync('127.0.0.1:0', insecure, (error, bound) => {
      if (error) reject(error)
      else resolve(bound)
    })
  })
  return {
    http: await bind(web),
    grpc: `127.0.0.1:${port}`,
    webSocket: await bind(sockets),
    close: async () => {
      calls.forceShutdown()
      for (const socket of counting.clients) socket.terminate()
      for (const server of [web, sockets]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

async function bind(server: http.Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Credentials are the paywall's and must not come this far; who has paid for what must. */
const isClean = ({ headers }: http.IncomingMessage): boolean =>
  headers.authorization === undefined && headers['x-pinhole-token-id'] !== undefined

async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  if (!isClean(request)) return void response.writeHead(500).end()
  response.on('error', () => undefined)
  response.setHeader('x-paid-msat', request.headers['x-pinhole-paid-msat'] ?? '')
  switch (request.url) {
    case '/http/file':
      for (const chunk of patternChunks(FILE_BYTES)) response.write(chunk)
      return void response.end()
    case '/cheap/words':
      return void response.end(WORDS)
    case '/http/upload': {
      const digest = new Digest()
      for await (const chunk of request) digest.add(chunk as Buffer)
      return void response.end(digest.finish())
    }
    case '/http/ticks':
      for (let n = 0; !response.destroyed; n++) {
        response.write(`${n}\n`)
        await sleep(TICK_MS)
      }
      return
    default:
      response.writeHead(404).end()
  }
}

const implementation: grpc.UntypedServiceImplementation = {
  unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
    done(null, call.request)
  },
  down(call: grpc.ServerWritableStream<Buffer, Buffer>) {
    for (let n = 0; n < DOWN_MESSAGES; n++) call.write(Buffer.from(String(n)))
    call.end()
  },
  up(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
    const digest = new Digest()
    call.on('data', (message: Buffer) => digest.add(message))
    call.on('end', () => done(null, Buffer.from(digest.finish())))
    call.on('error', () => undefined)
  },
  both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
    call.on('error', () => undefined)
  },
}
