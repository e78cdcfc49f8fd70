import assert from 'node:assert/strict'
import http2 from 'node:http2'
import net from 'node:net'
import test from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { text, utf8 } from '../../../src/base/bytes.ts'
import { GrpcCode } from '../../../src/base/errors.ts'
import { openChannel } from '../../../mailbox/rpc/channel.ts'
import { byteStream } from '../../../mailbox/rpc/byte-stream.ts'
import type { Target } from '../../../mailbox/rpc/dial.ts'
import { forwardGrpc, type ForwardOptions } from '../../../mailbox/rpc/forward.ts'
import { frameMessage } from '../../../mailbox/rpc/messages.ts'
import type { Metadata } from '../../../mailbox/rpc/rpc.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { echoServer } from './echo-server.ts'
import { certificate } from './certificate.ts'

const HOST = '127.0.0.1'

async function listen(server: grpc.Server, port: number, secure: boolean): Promise<number> {
  const pair = {
    private_key: Buffer.from(certificate.key),
    cert_chain: Buffer.from(certificate.cert),
  }
  const credentials = secure
    ? grpc.ServerCredentials.createSsl(null, [pair])
    : grpc.ServerCredentials.createInsecure()
  return new Promise((resolve, reject) => {
    server.bindAsync(`${HOST}:${port}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
}

function through(target: Target, more: Partial<ForwardOptions> = {}, metadata: Metadata = []) {
  const [ours, theirs] = memoryLinkPair()
  const forwarded = forwardGrpc(theirs, { target, ...more })
  const channel = openChannel(ours, { metadata })
  const end = async () => {
    await channel.close()
    await forwarded
  }
  return { channel, end }
}

async function collect(answers: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const answer of answers) all.push(answer)
  return all
}

async function* repeat(count: number, message: Uint8Array) {
  for (let i = 0; i < count; i++) yield message
}

for (const secure of [false, true]) {
  test(`all kinds of calls reach the node ${secure ? 'over TLS' : 'in cleartext'} and come back`, async () => {
    const { server, seen } = echoServer()
    const port = await listen(server, 0, secure)
    const target = { host: HOST, port, ...(secure ? { certificate: certificate.cert } : {}) }
    const { channel, end } = through(target)
    for (const size of [0, 100, 3_000_000]) {
      const request = new Uint8Array(size).fill(9)
      assert.deepEqual(await channel.unary('/test.Echo/Unary', request), request)
    }
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) => channel.unary('/test.Echo/Unary', utf8(`call ${n}`))),
    )
    answers.forEach((answer, n) => assert.equal(text(answer), `call ${n}`))
    const up = await collect(channel.stream('/test.Echo/Up', repeat(200, new Uint8Array(50_000))))
    assert.deepEqual(up.map(text), ['10000000'])
    const both = await collect(channel.stream('/test.Echo/Both', repeat(100, utf8('round'))))
    assert.equal(both.length, 100)
    const down = await collect(channel.stream('/test.Echo/Down', utf8('300,65536')))
    down.forEach((answer, n) => assert.equal(answer[0], (n + 1) % 251))
    assert.equal(down.length, 300)
    await assert.rejects(collect(channel.stream('/test.Echo/FailDown', utf8(''))), {
      grpc: GrpcCode.failedPrecondition,
      message: /second: ünd %/,
    })
    await assert.rejects(channel.unary('/test.Echo/Fail', utf8('5|unable to locate invoice')), {
      grpc: GrpcCode.notFound,
    })
    assert.equal(seen.written, 300)
    await end()
    server.forceShutdown()
  })
}

test('leaving a call cancels it at the node, and a slow reader slows the node', async () => {
  const { server, seen } = echoServer()
  const target = { host: HOST, port: await listen(server, 0, false) }
  const { channel, end } = through(target)
  const cancelled = new Promise<void>((resolve) => (seen.onCancelled = resolve))
  for await (const answer of channel.stream('/test.Echo/Down', utf8('5000,65536'))) {
    assert.equal(answer.length, 65_536)
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(seen.written < 1000, `${seen.written} written for one that was read`)
    break
  }
  await cancelled
  await end()
  server.forceShutdown()
})

test('headers are passed on, and replaced where the forwarder says so', async () => {
  const { server } = echoServer()
  const target = { host: HOST, port: await listen(server, 0, false) }
  const long = 'ab01'.repeat(15_000)
  const passing = through(target, {}, [['macaroon', long]])
  assert.equal(text(await passing.channel.unary('/test.Echo/Macaroon', utf8(''))), '60000')
  const replacing = through(target, { metadata: [['macaroon', 'cafe']] }, [['macaroon', long]])
  assert.equal(text(await replacing.channel.unary('/test.Echo/Macaroon', utf8(''))), '4')
  await passing.end()
  await replacing.end()
  server.forceShutdown()
})

test('a node that is down makes calls unavailable, in words; they work again when it is back', async () => {
  const probe = net.createServer().listen(0, HOST)
  await new Promise((resolve) => probe.once('listening', resolve))
  const address = probe.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await new Promise((resolve) => probe.close(resolve))

  const { channel, end } = through({ host: HOST, port })
  const down = {
    code: 'ERR_NODE_CALL',
    grpc: GrpcCode.unavailable,
    message: /no connection to the node at 127\.0\.0\.1/,
  }
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8('')), down)
  const first = echoServer()
  await listen(first.server, port, false)
  assert.equal(text(await channel.unary('/test.Echo/Unary', utf8('up'))), 'up')
  const pending = channel.unary('/test.Echo/Hang', utf8(''))
  await channel.unary('/test.Echo/Unary', utf8(''))
  first.server.forceShutdown()
  await assert.rejects(pending, { code: 'ERR_NODE_CALL' })
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8('')), down)
  const second = echoServer()
  await listen(second.server, port, false)
  assert.equal(text(await channel.unary('/test.Echo/Unary', utf8('again'))), 'again')
  await end()
  second.server.forceShutdown()
})

test('a certificate that the node has anew is taken up, and a lost connection is told of', async () => {
  const { server } = echoServer()
  const port = await listen(server, 0, true)
  let given = certificate.other
  const lost: string[] = []
  const [ours, theirs] = memoryLinkPair()
  const forwarded = forwardGrpc(theirs, {
    target: () => ({ host: HOST, port, certificate: given }),
    onLost: ({ message }) => lost.push(message),
  })
  const channel = openChannel(ours)
  const distrusted = { code: 'ERR_NODE_CALL', message: /another certificate than the one given/ }
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8('')), distrusted)
  given = certificate.cert
  assert.equal(text(await channel.unary('/test.Echo/Unary', utf8('now'))), 'now')
  await channel.close()
  await forwarded
  assert.equal(lost.length, 1)
  server.forceShutdown()
})

test("Node's HTTP/2 as the client: our server end and nghttp2 understand each other", async () => {
  const { server } = echoServer()
  const target = { host: HOST, port: await listen(server, 0, false) }
  const [ours, theirs] = memoryLinkPair()
  const forwarded = forwardGrpc(theirs, { target })
  const session = http2.connect('http://lnd', { createConnection: () => byteStream(ours) })
  const call = (macaroon: string, body: Uint8Array) =>
    new Promise<string>((resolve, reject) => {
      const headers = { ':method': 'POST', ':path': '/test.Echo/Unary', te: 'trailers' }
      const stream = session.request({ ...headers, 'content-type': 'application/grpc', macaroon })
      let bytes = 0
      let status = ''
      stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
      stream.on('trailers', (trailers: Record<string, unknown>) => {
        status = String(trailers['grpc-status'])
      })
      stream.on('close', () => resolve(`${status} ${bytes}`))
      stream.on('error', reject)
      stream.end(frameMessage(body))
    })
  assert.equal(await call('00', new Uint8Array(10)), '0 15')
  const several = [1, 2, 3].map((n) => call('ab'.repeat(1000 * n), new Uint8Array(500_000 * n)))
  assert.deepEqual(await Promise.all(several), ['0 500005', '0 1000005', '0 1500005'])
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error ? reject(error) : resolve()))
  })
  session.close()
  await forwarded
  server.forceShutdown()
})

test('a node with another certificate is not trusted', async () => {
  const { server } = echoServer()
  const port = await listen(server, 0, true)
  const { channel, end } = through({ host: HOST, port, certificate: certificate.other })
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8('')), {
    grpc: GrpcCode.unavailable,
    message: /self-signed|certificate/,
  })
  await end()
  server.forceShutdown()
})
