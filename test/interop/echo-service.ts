/**
 * The test service `/pinhole.test.Echo` for our server end, the same as `go/echo/service.go`. Its messages
 * are protobuf's wrapper types, so that neither side needs generated code; README.md lists the methods.
 */
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageShape,
} from '@bufbuild/protobuf'
import {
  BytesValueSchema,
  DurationSchema,
  StringValueSchema,
  UInt32ValueSchema,
  UInt64ValueSchema,
} from '@bufbuild/protobuf/wkt'
import { status, type Metadata, type MethodDefinition, type Server } from '@grpc/grpc-js'
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Digest, patternChunks } from './echo-pattern.ts'

/** The path of a method. */
export const echoPath = (method: string): string => `/pinhole.test.Echo/${method}`

/** Messages of the service as bytes. */
export interface Codec<T extends DescMessage> {
  encode(message: MessageShape<T>): Buffer
  decode(bytes: Uint8Array): MessageShape<T>
}

function codec<T extends DescMessage>(schema: T): Codec<T> {
  return {
    encode: (message) => Buffer.from(toBinary(schema, message)),
    decode: (bytes) => fromBinary(schema, bytes),
  }
}

export const Bytes = codec(BytesValueSchema)
export const Text = codec(StringValueSchema)
export const Count = codec(UInt32ValueSchema)
export const Size = codec(UInt64ValueSchema)
export const Interval = codec(DurationSchema)

export const bytesOf = (value: Uint8Array) => create(BytesValueSchema, { value })
export const textOf = (value: string) => create(StringValueSchema, { value })
export const countOf = (value: number) => create(UInt32ValueSchema, { value })
export const sizeOf = (value: number) => create(UInt64ValueSchema, { value: BigInt(value) })
export const intervalOf = (ms: number) =>
  create(DurationSchema, { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 })

type Shape<T> = T extends Codec<infer D> ? MessageShape<D> : never

interface Kind {
  readonly requestStream: boolean
  readonly responseStream: boolean
}

function method<I extends DescMessage, O extends DescMessage>(
  name: string,
  request: Codec<I>,
  response: Codec<O>,
  kind: Kind,
): MethodDefinition<MessageShape<I>, MessageShape<O>> {
  return {
    path: echoPath(name),
    ...kind,
    requestSerialize: (message) => request.encode(message),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => response.encode(message),
    responseDeserialize: (bytes) => response.decode(bytes),
  }
}

const service = {
  Unary: method('Unary', Bytes, Bytes, { requestStream: false, responseStream: false }),
  Stream: method('Stream', Count, Count, { requestStream: false, responseStream: true }),
  Ticks: method('Ticks', Interval, Count, { requestStream: false, responseStream: true }),
  Upload: method('Upload', Bytes, Text, { requestStream: true, responseStream: false }),
  Download: method('Download', Size, Bytes, { requestStream: false, responseStream: true }),
}

type Answering<I, O> = ServerWritableStream<I, O> | ServerDuplexStream<I, O>

/** Puts the service on a grpc-js server. With a macaroon given, every call must carry it. */
export function addEchoService(server: Server, macaroon: string | undefined): void {
  const refused = ({ metadata }: { metadata: Metadata }): boolean =>
    macaroon !== undefined && metadata.get('macaroon').join() !== macaroon
  const refusal = { code: status.UNAUTHENTICATED, details: 'macaroon missing or wrong' }

  const streaming =
    <I, O>(answers: (call: Answering<I, O>, request: I) => AsyncIterable<O> | Iterable<O>) =>
    (call: ServerWritableStream<I, O>): void => {
      if (refused(call)) call.emit('error', refusal)
      else void writeAll(call, answers(call, call.request))
    }

  server.addService(service, {
    Unary: (
      call: ServerUnaryCall<Shape<typeof Bytes>, Shape<typeof Bytes>>,
      done: sendUnaryData<Shape<typeof Bytes>>,
    ): void => {
      if (refused(call)) done(refusal)
      else done(null, call.request)
    },
    Stream: streaming<Shape<typeof Count>, Shape<typeof Count>>((_call, request) =>
      counted(request.value),
    ),
    Ticks: streaming<Shape<typeof Interval>, Shape<typeof Count>>((call, request) =>
      ticks(call, Number(request.seconds) * 1000 + request.nanos / 1e6),
    ),
    Upload: (
      call: ServerReadableStream<Shape<typeof Bytes>, Shape<typeof Text>>,
      done: sendUnaryData<Shape<typeof Text>>,
    ): void => {
      if (refused(call)) {
        done(refusal)
        return
      }
      const digest = new Digest()
      call.on('data', (chunk: Shape<typeof Bytes>) => digest.add(chunk.value))
      call.on('end', () => done(null, textOf(digest.finish())))
    },
    Download: streaming<Shape<typeof Size>, Shape<typeof Bytes>>((_call, request) =>
      chunks(Number(request.value)),
    ),
  })
}

function* counted(count: number) {
  for (let i = 0; i < count; i++) yield countOf(i)
}

function* chunks(bytes: number) {
  for (const chunk of patternChunks(bytes)) yield bytesOf(chunk)
}

async function* ticks(call: { cancelled: boolean }, intervalMs: number) {
  for (let i = 0; !call.cancelled; i++) {
    yield countOf(i)
    await sleep(intervalMs)
  }
}

async function writeAll<I, O>(
  call: ServerWritableStream<I, O>,
  answers: AsyncIterable<O> | Iterable<O>,
): Promise<void> {
  for await (const answer of answers) {
    if (call.cancelled) return
    if (!call.write(answer)) await Promise.race([once(call, 'drain'), once(call, 'cancelled')])
  }
  call.end()
}
