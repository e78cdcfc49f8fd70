/** The gRPC service, in all four kinds of calls. */
import assert from 'node:assert/strict'
import grpc from '@grpc/grpc-js'
import { patternChunks, patternDigest } from '../../interop/echo-pattern.ts'
import type { HubProcess } from './hub-process.ts'
import { BYTES, DOWN_MESSAGES, FILE_BYTES, SHOP, TICK_MS } from './upstreams.ts'
import { type Asked, Counter, readAsked, type Running, type Ware } from './ware.ts'

const { requestSerialize: out, responseDeserialize: back } = BYTES
const GREETING = Buffer.from('good day')
/** A call that finds the hub gone waits for it: no call here is given up for that. */
const DEADLINE_MS = 20_000

/** A client that trusts the hub. Each has a connection of its own. */
export function openClient(hub: HubProcess, ...interceptors: grpc.Interceptor[]): grpc.Client {
  return new grpc.Client(hub.address, grpc.credentials.createSsl(hub.certificate), {
    interceptors,
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
  })
}

/** Makes a call of every kind and looks at what came. */
export async function callAllKinds(client: grpc.Client, metadata: grpc.Metadata): Promise<void> {
  assert.deepEqual(await unary(client, metadata), GREETING)
  const { down, up, both } = SHOP
  const options = { deadline: Date.now() + DEADLINE_MS }
  let expected = 0
  const numbers = client.makeServerStreamRequest(down.path, out, back, GREETING, metadata, options)
  for await (const message of numbers) assert.equal(String(message), String(expected++))
  assert.equal(expected, DOWN_MESSAGES)

  const digest = await new Promise<string>((resolve, reject) => {
    const call = client.makeClientStreamRequest<Buffer, Buffer>(
      up.path,
      out,
      back,
      metadata,
      options,
      (error, message) => {
        if (error) reject(error)
        else resolve(String(message))
      },
    )
    for (const chunk of patternChunks(FILE_BYTES / 2)) call.write(Buffer.from(chunk))
    call.end()
  })
  assert.equal(digest, patternDigest(FILE_BYTES / 2))

  const echo = client.makeBidiStreamRequest<Buffer, Buffer>(both.path, out, back, metadata, options)
  const sent = ['one', 'two', 'three']
  for (const text of sent) echo.write(Buffer.from(text))
  echo.end()
  const got: string[] = []
  for await (const message of echo) got.push(String(message))
  assert.deepEqual(got, sent)
}

function unary(client: grpc.Client, metadata: grpc.Metadata): Promise<Buffer> {
  const options = { deadline: Date.now() + DEADLINE_MS }
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(
      SHOP.unary.path,
      out,
      back,
      GREETING,
      metadata,
      options,
      (error, message) => {
        if (error) reject(error)
        else resolve(message ?? Buffer.alloc(0))
      },
    )
  })
}

/** What is sold over gRPC. */
export function grpcWare(hub: HubProcess): Ware & { close(): void } {
  const client = openClient(hub)
  return {
    name: 'gRPC',
    ask: () => refused(client),
    collect: (token) => callAllKinds(client, showing(token)),
    open: (token) => count(client, showing(token)),
    close: () => client.close(),
  }
}

function showing(token: string): grpc.Metadata {
  const metadata = new grpc.Metadata()
  metadata.set('authorization', token)
  return metadata
}

async function refused(client: grpc.Client): Promise<Asked> {
  const reason: unknown = await unary(client, new grpc.Metadata()).then(
    () => new Error('answered without a token'),
    (error: unknown) => error,
  )
  if (!(reason instanceof Error) || !('metadata' in reason)) throw reason
  const { metadata, code, details } = reason as grpc.ServiceError
  const challenges = metadata.get('www-authenticate').map(String)
  const retryAfter = metadata.get('retry-after').map(String)[0]
  if (challenges.length > 0) {
    assert.deepEqual([code, details], [grpc.status.INTERNAL, 'payment required'])
    return readAsked(402, challenges, undefined)
  }
  if (code !== grpc.status.UNAVAILABLE || retryAfter === undefined) throw reason
  return readAsked(503, [], retryAfter)
}

/** Sends 0, 1, 2, … and takes what comes back. */
async function count(client: grpc.Client, metadata: grpc.Metadata): Promise<Running> {
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(SHOP.both.path, out, back, metadata)
  const counter = new Counter()
  let sent = 0
  const send = () => void call.write(Buffer.from(String(sent++)))
  const timer = setInterval(send, TICK_MS)
  call.on('data', (message: Buffer) => counter.take(message.toString()))
  call.on('error', () => undefined)
  call.on('status', ({ code }: grpc.StatusObject) => {
    clearInterval(timer)
    counter.end(code === grpc.status.OK ? 'whole' : 'broken')
  })
  send()
  await counter.first
  return counter.running(async () => {
    call.end()
    assert.ok(await counter.ended)
  })
}
