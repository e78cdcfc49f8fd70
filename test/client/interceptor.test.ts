import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { GrpcCode } from '../../src/base/errors.ts'
import { memoryTokens } from '../../src/client/bought-token.ts'
import { payingInterceptor } from '../../src/client/interceptor.ts'
import { formatChallenge } from '../../proxy/l402/challenge.ts'
import { isPaid, Ledger, offerOf } from './shop.ts'

const text = {
  serialize: (value: string) => Buffer.from(value),
  deserialize: (bytes: Buffer) => bytes.toString(),
}
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/echo.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: text.serialize,
  requestDeserialize: text.deserialize,
  responseSerialize: text.serialize,
  responseDeserialize: text.deserialize,
})
const definition = {
  unary: method('Unary', false, false),
  download: method('Download', false, true),
  upload: method('Upload', true, false),
  both: method('Both', true, true),
}

/** A server whose calls are paid for, and a client that pays. */
async function openEcho(t: TestContext, { maxSats = 10, maxReplayBytes = 1_000 } = {}) {
  const shop = {
    ledger: new Ledger(),
    rootKeys: new Map<string, Uint8Array>(),
    priceMsat: 10_000n,
    expirySeconds: 3_600,
    calls: 0,
    challenge: formatChallenge as (offer: ReturnType<typeof offerOf>) => readonly string[],
  }
  const server = new grpc.Server({ interceptors: [sell(shop)] })
  server.addService(definition, {
    unary: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) =>
      done(null, `got ${call.request}`),
    download(call: grpc.ServerWritableStream<string, string>) {
      for (const letter of call.request) call.write(letter)
      call.end()
    },
    upload(call: grpc.ServerReadableStream<string, string>, done: grpc.sendUnaryData<string>) {
      let all = ''
      call.on('data', (part: string) => (all += part)).on('end', () => done(null, all))
    },
    both(call: grpc.ServerDuplexStream<string, string>) {
      call.on('data', (part: string) => call.write(part.toUpperCase())).on('end', () => call.end())
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const origin = `127.0.0.1:${port}`
  const store = memoryTokens()
  const wallet = shop.ledger.wallet()
  const interceptor = payingInterceptor({ wallet, maxSats, store, origin, maxReplayBytes })
  const client = new grpc.Client(origin, grpc.credentials.createInsecure(), {
    interceptors: [interceptor],
  })
  t.after(() => {
    client.close()
    server.forceShutdown()
  })
  return { shop, client, store, origin }
}

/** Ends calls that are not paid for as a proxy does: at once, in trailers alone. */
const sell =
  (shop: {
    calls: number
    rootKeys: Map<string, Uint8Array>
    ledger: Ledger
    priceMsat: bigint
    expirySeconds: number
    challenge: (offer: ReturnType<typeof offerOf>) => readonly string[]
  }): grpc.ServerInterceptor =>
  (_method, call) =>
    new grpc.ServerInterceptingCall(call, {
      start(next) {
        next(
          new grpc.ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, proceed) => {
              shop.calls++
              const rawHeaders = metadata
                .get('authorization')
                .flatMap((value) => ['authorization', String(value)])
              if (isPaid(shop, { rawHeaders }, 'echo')) return proceed(metadata)
              const trailers = new grpc.Metadata()
              for (const line of shop.challenge(offerOf(shop, 'echo'))) {
                trailers.add('www-authenticate', line)
              }
              const details = 'payment required'
              call.sendStatus({ code: GrpcCode.internal, details, metadata: trailers })
            })
            .build(),
        )
      },
    })

const unary = (client: grpc.Client, message: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = definition.unary
    client.makeUnaryRequest<string, string>(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      (error, answer = '') => (error ? reject(error) : resolve(answer)),
    )
  })

async function collect(stream: AsyncIterable<unknown>): Promise<string> {
  let all = ''
  for await (const part of stream) all += String(part)
  return all
}

const duplex = (client: grpc.Client) =>
  client.makeBidiStreamRequest<string, string>(
    definition.both.path,
    text.serialize,
    text.deserialize,
  )

test('a unary call is paid for and made again; the next shows its token', async (t) => {
  const { shop, client } = await openEcho(t)
  assert.equal(await unary(client, 'tea'), 'got tea')
  assert.equal(await unary(client, 'more'), 'got more')
  assert.equal(shop.calls, 3)
  assert.equal(shop.ledger.payments.length, 1)
})

test('all streaming kinds are paid for, with nothing lost or doubled', async (t) => {
  const { path: downloadPath } = definition.download
  const download = await openEcho(t)
  const stream = download.client.makeServerStreamRequest<string, string>(
    downloadPath,
    text.serialize,
    text.deserialize,
    'abc',
  )
  assert.equal(await collect(stream), 'abc')

  const upload = await openEcho(t)
  const uploaded = await new Promise<string>((resolve, reject) => {
    const call = upload.client.makeClientStreamRequest<string, string>(
      definition.upload.path,
      text.serialize,
      text.deserialize,
      (error, answer = '') => (error ? reject(error) : resolve(answer)),
    )
    for (const part of ['a', 'b', 'c', 'd']) call.write(part)
    call.end()
  })
  assert.equal(uploaded, 'abcd')

  const both = await openEcho(t)
  const call = duplex(both.client)
  const answers = call[Symbol.asyncIterator]()
  for (const part of ['x', 'y', 'z']) {
    await new Promise((resolve) => call.write(part, resolve))
    assert.equal((await answers.next()).value, part.toUpperCase())
  }
  call.end()
  assert.equal((await answers.next()).done, true)
  for (const { shop } of [download, upload, both]) assert.equal(shop.ledger.payments.length, 1)
})

test('calls at the same time buy one token', async (t) => {
  const { shop, client } = await openEcho(t)
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((part) => unary(client, part)))
  assert.deepEqual(answers, ['got a', 'got b', 'got c', 'got d'])
  assert.equal(shop.ledger.payments.length, 1)
})

test('what is too dear or cannot be read ends the call with its code and pays nothing', async (t) => {
  const dear = await openEcho(t, { maxSats: 9 })
  await assert.rejects(unary(dear.client, 'tea'), (error: grpc.ServiceError) => {
    assert.equal(error.code, GrpcCode.failedPrecondition)
    assert.deepEqual(error.metadata.get('pinhole-error'), ['ERR_PAYMENT_LIMIT'])
    assert.match(error.details, /asks for 10 sat and the limit is 9 sat/)
    return true
  })
  dear.shop.challenge = () => ['L402 macaroon="AAAA", invoice="lnbc1"']
  await assert.rejects(unary(dear.client, 'tea'), { code: GrpcCode.internal })
  dear.shop.challenge = () => []
  await assert.rejects(unary(dear.client, 'tea'), { details: 'payment required' })
  assert.deepEqual(dear.shop.ledger.payments, [])
})

test('a call of which more was sent than is kept is not paid for', async (t) => {
  const { shop, client } = await openEcho(t, { maxReplayBytes: 4 })
  const call = duplex(client)
  // The first message waits for the connection, the others follow at once.
  for (let n = 0; n < 3; n++) call.write('abcd')
  await assert.rejects(collect(call), (error: grpc.ServiceError) => {
    return error.metadata.get('pinhole-error')[0] === 'ERR_PAYMENT_REPLAY'
  })
  assert.deepEqual(shop.ledger.payments, [])
})

test('a call that is cancelled while it is paid for ends at once', async (t) => {
  const { client, shop } = await openEcho(t)
  const call = duplex(client)
  shop.challenge = (offer) => {
    setImmediate(() => call.cancel())
    return formatChallenge(offer)
  }
  call.write('x')
  await assert.rejects(collect(call), { code: GrpcCode.cancelled })
})
