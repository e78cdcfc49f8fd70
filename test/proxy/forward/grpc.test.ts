/** gRPC through the forwarder: all four kinds of calls, by grpc-js at both ends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import test, { type TestContext } from 'node:test'
import grpc from '@grpc/grpc-js'
import { ManualClock } from '../../../src/base/clock.ts'
import { newPair } from '../../listener/serving.ts'
import { deferred, listenOn, service, startHub } from './forwarding.ts'
import { moment } from '../../moment.ts'

const bytes = {
  requestSerialize: (message: Buffer) => message,
  requestDeserialize: (message: Buffer) => message,
  responseSerialize: (message: Buffer) => message,
  responseDeserialize: (message: Buffer) => message,
}
const kind = (path: string, requestStream: boolean, responseStream: boolean) => {
  return { path: `/test.Echo/${path}`, requestStream, responseStream, ...bytes }
}
const ECHO = {
  unary: kind('Unary', false, false),
  down: kind('Down', false, true),
  up: kind('Up', true, false),
  both: kind('Both', true, true),
}

const implementation: grpc.UntypedServiceImplementation = {
  unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
    if (call.request.toString() === 'fail') {
      const metadata = new grpc.Metadata()
      metadata.set('why', 'asked for')
      return done({ code: grpc.status.NOT_FOUND, details: 'schön % weg', metadata })
    }
    const trailer = new grpc.Metadata()
    trailer.set('paid', String(call.metadata.get('x-pinhole-service')[0]))
    done(null, Buffer.concat([Buffer.from('echo '), call.request]), trailer)
  },
  down(call: grpc.ServerWritableStream<Buffer, Buffer>) {
    for (let i = 0; i < 3; i++) call.write(Buffer.from(`${i}`))
    call.end()
  },
  up(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
    const got: Buffer[] = []
    call.on('data', (message: Buffer) => got.push(message))
    call.on('end', () => done(null, Buffer.concat(got)))
  },
  both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
    call.on('error', () => {})
  },
}

async function startServer(t: TestContext, pair?: { cert: string; key: string }): Promise<string> {
  const server = new grpc.Server()
  server.addService(ECHO, implementation)
  const credentials = pair
    ? grpc.ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) },
      ])
    : grpc.ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('localhost:0', credentials, (error, bound) => {
      if (error) reject(error)
      else resolve(bound)
    })
  })
  t.after(() => server.forceShutdown())
  return `localhost:${port}`
}

function startClient(t: TestContext, address: string, ca?: string) {
  const credentials = ca
    ? grpc.credentials.createSsl(Buffer.from(ca))
    : grpc.credentials.createInsecure()
  const client = new grpc.Client(address, credentials)
  t.after(() => client.close())
  const { requestSerialize: out, responseDeserialize: back } = bytes
  const metadata = new grpc.Metadata()
  return {
    unary: (message: string) =>
      new Promise<{ text: string; trailer: grpc.Metadata }>((resolve, reject) => {
        let text = ''
        client
          .makeUnaryRequest(ECHO.unary.path, out, back, Buffer.from(message), (error, got) => {
            if (error) reject(error)
            else text = got?.toString() ?? ''
          })
          .on('status', ({ metadata: trailer }) => resolve({ text, trailer }))
      }),
    down: () =>
      client.makeServerStreamRequest(ECHO.down.path, out, back, Buffer.alloc(0), metadata),
    up: (done: grpc.requestCallback<Buffer>) =>
      client.makeClientStreamRequest(ECHO.up.path, out, back, metadata, done),
    both: () => client.makeBidiStreamRequest(ECHO.both.path, out, back, metadata),
  }
}

for (const secure of [false, true]) {
  test(`the four kinds of calls, ${secure ? 'TLS' : 'cleartext'} at both ends`, async (t) => {
    const pair = secure ? await newPair() : undefined
    const address = await startServer(t, pair)
    const protocol = secure ? 'https' : 'h2c'
    const hub = await startHub(
      t,
      service({ protocol, address, certificate: pair?.cert }),
      pair ? { tls: pair } : {},
    )
    const client = startClient(t, `localhost:${hub.port}`, pair?.cert)

    const { text, trailer } = await client.unary('hello')
    assert.equal(text, 'echo hello')
    assert.deepEqual(trailer.get('paid'), ['shop'])

    await assert.rejects(client.unary('fail'), (error: grpc.ServiceError) => {
      assert.equal(error.code, grpc.status.NOT_FOUND)
      assert.equal(error.details, 'schön % weg')
      assert.deepEqual(error.metadata.get('why'), ['asked for'])
      return true
    })

    const got: string[] = []
    for await (const message of client.down()) got.push(String(message))
    assert.deepEqual(got, ['0', '1', '2'])

    const sum = await new Promise<string>((resolve, reject) => {
      const call = client.up((error, message) => {
        if (error) reject(error)
        else resolve(String(message))
      })
      for (const part of ['a', 'b', 'c']) call.write(Buffer.from(part))
      call.end()
    })
    assert.equal(sum, 'abc')

    const call = client.both()
    for (const part of ['ping', 'pong']) {
      call.write(Buffer.from(part))
      const [message] = (await once(call, 'data')) as [Buffer]
      assert.equal(message.toString(), part)
    }
    const ended = once(call, 'status')
    call.end()
    const [status] = (await ended) as [grpc.StatusObject]
    assert.equal(status.code, grpc.status.OK)
  })
}

test('a status without a message stays Trailers-Only, with one content type', async (t) => {
  const address = await startServer(t)
  const hub = await startHub(t, service({ protocol: 'h2c', address }))
  const session = http2.connect(hub.url)
  t.after(() => session.destroy())
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Echo/Missing',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.end()
  const [headers, flags] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders, number]
  assert.equal(headers['grpc-status'], String(grpc.status.UNIMPLEMENTED))
  assert.equal(headers['content-type'], 'application/grpc+proto')
  assert.ok((flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0)
  stream.resume()
  await once(stream, 'close')
})

test('a status among the headers of an answer that goes on is in its trailers too', async (t) => {
  const server = http2.createServer()
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': 'gone' })
    setImmediate(() => stream.end())
  })
  const address = await listenOn(t, server)
  const hub = await startHub(t, service({ protocol: 'h2c', address }))
  const session = http2.connect(hub.url)
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/a' })
  const [trailers] = (await once(stream.resume(), 'trailers')) as [http2.IncomingHttpHeaders]
  assert.deepEqual([trailers['grpc-status'], trailers['grpc-message']], ['5', 'gone'])
  hub.forwarder.close()
})

test('an upstream that is away: UNAVAILABLE; one that is silent: DEADLINE_EXCEEDED', async (t) => {
  const away = await startHub(t, service({ protocol: 'h2c', address: 'localhost:1' }))
  await assert.rejects(startClient(t, `localhost:${away.port}`).unary('a'), {
    code: grpc.status.UNAVAILABLE,
    details: 'the upstream of service shop cannot be reached',
  })
  const clock = new ManualClock()
  const arrived = deferred()
  const silent = http2.createServer().on('stream', () => arrived.resolve())
  const address = await listenOn(t, silent)
  const hub = await startHub(t, service({ protocol: 'h2c', address }), { clock })
  const answer = assert.rejects(startClient(t, `localhost:${hub.port}`).unary('a'), {
    code: grpc.status.DEADLINE_EXCEEDED,
  })
  await arrived.promise
  await moment()
  for (let i = 0; i < 10; i++) clock.advance(1_000)
  await answer
  hub.forwarder.close()
})

test('a call that the client cancels is cancelled upstream', async (t) => {
  const cancelled = deferred()
  const server = new grpc.Server()
  server.addService(
    { both: ECHO.both },
    {
      both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
        call.on('error', () => {})
        call.on('cancelled', () => cancelled.resolve())
        call.on('data', (message: Buffer) => call.write(message))
      },
    },
  )
  const port = await new Promise<number>((resolve) => {
    const credentials = grpc.ServerCredentials.createInsecure()
    server.bindAsync('127.0.0.1:0', credentials, (_error, bound) => resolve(bound))
  })
  t.after(() => server.forceShutdown())
  const hub = await startHub(t, service({ protocol: 'h2c', address: `127.0.0.1:${port}` }))
  const call = startClient(t, `127.0.0.1:${hub.port}`).both()
  call.on('error', () => {})
  call.write(Buffer.from('a'))
  await once(call, 'data')
  call.cancel()
  await cancelled.promise
})
