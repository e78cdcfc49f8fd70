import * as grpc from '@grpc/grpc-js'
import { createNodeServer } from '../../../mailbox/rpc/serve.ts'

const bytes = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
}
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  ...bytes,
})

const service = {
  unary: method('Unary', false, false),
  large: method('Large', false, false),
  fail: method('Fail', false, false),
  hang: method('Hang', false, false),
  macaroon: method('Macaroon', false, false),
  down: method('Down', false, true),
  failDown: method('FailDown', false, true),
  up: method('Up', true, false),
  both: method('Both', true, true),
} satisfies grpc.ServiceDefinition

type Unary = grpc.handleUnaryCall<Buffer, Buffer>
type Down = grpc.handleServerStreamingCall<Buffer, Buffer>

/** What the server saw, for tests of cancellation. */
export interface Seen {
  cancelled: number
  written: number
  onCancelled: () => void
}

const number = (request: Buffer) => Number(request.toString() || '0')

/** A grpc-js server that speaks bytes: echo, large answers, failures, all four kinds of calls. */
export function echoServer(options: grpc.ServerOptions = {}): { server: grpc.Server; seen: Seen } {
  const server = createNodeServer(options)
  const seen: Seen = { cancelled: 0, written: 0, onCancelled: () => {} }
  const cancelled = () => {
    seen.cancelled++
    seen.onCancelled()
  }
  const unary: Unary = (call, done) => done(null, call.request)
  const large: Unary = (call, done) => done(null, Buffer.alloc(number(call.request), 7))
  const fail: Unary = (call, done) => {
    const [code = '2', details = ''] = call.request.toString().split('|')
    done({ code: Number(code), details })
  }
  const hang: Unary = (call) => call.on('cancelled', cancelled)
  const macaroon: Unary = (call, done) => {
    const [value = ''] = call.metadata.get('macaroon')
    call.sendMetadata(metadata({ echoed: value.toString() }))
    done(null, Buffer.from(String(value.length)))
  }
  const down: Down = (call) => {
    const [count = 0, size = 0] = call.request.toString().split(',').map(Number)
    call.on('cancelled', cancelled)
    const write = () => {
      while (seen.written < count) {
        seen.written++
        if (!call.write(Buffer.alloc(size, seen.written % 251))) return
      }
      call.end()
    }
    call.on('drain', write)
    write()
  }
  const failDown: Down = (call) => {
    call.write(Buffer.from('first'))
    call.emit('error', { code: 9, details: 'second: ünd %' })
  }
  const up: grpc.handleClientStreamingCall<Buffer, Buffer> = (call, done) => {
    let total = 0
    call.on('data', (chunk: Buffer) => (total += chunk.length))
    call.on('end', () => done(null, Buffer.from(String(total))))
  }
  const both: grpc.handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (chunk: Buffer) => call.write(chunk))
    call.on('end', () => call.end())
  }
  const implementation = { unary, large, fail, hang, macaroon, down, failDown, up, both }
  server.addService(service, implementation)
  return { server, seen }
}

function metadata(fields: Record<string, string>): grpc.Metadata {
  const out = new grpc.Metadata()
  for (const [name, value] of Object.entries(fields)) out.set(name, value)
  return out
}
