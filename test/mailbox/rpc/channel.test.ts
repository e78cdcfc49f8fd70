import assert from 'node:assert/strict'
import test from 'node:test'
import { text, utf8 } from '../../../src/base/bytes.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { GrpcCode, PinholeError } from '../../../src/base/errors.ts'
import { openChannel, type ChannelOptions } from '../../../mailbox/rpc/channel.ts'
import { isUnprocessed } from '../../../mailbox/rpc/node-error.ts'
import { serveGrpc } from '../../../mailbox/rpc/serve.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { echoServer } from './echo-server.ts'

function connection(options: ChannelOptions = {}) {
  const [ours, theirs] = memoryLinkPair()
  const { server, seen } = echoServer()
  const served = serveGrpc(theirs, server)
  const channel = openChannel(ours, options)
  const end = async () => {
    await channel.close()
    await served
    server.forceShutdown()
  }
  return { channel, seen, ours, theirs, end, served, server }
}

async function collect(answers: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const answer of answers) all.push(answer)
  return all
}

async function* repeat(count: number, message: Uint8Array) {
  for (let i = 0; i < count; i++) yield message
}

test('unary calls of every size come back, alone and in parallel', async () => {
  const { channel, end } = connection()
  for (const size of [0, 1, 100, 16_384, 70_000, 3_000_000]) {
    const request = new Uint8Array(size).fill(size % 255)
    assert.deepEqual(await channel.unary('/test.Echo/Unary', request), request)
  }
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, n) => channel.unary('/test.Echo/Unary', utf8(`call ${n}`))),
  )
  answers.forEach((answer, n) => assert.equal(text(answer), `call ${n}`))
  await end()
})

test('an answer of 64 MiB passes, one above the limit is refused by name', async () => {
  const { channel, end } = connection({ maxAnswerBytes: 64 * 1024 * 1024 })
  const size = 64 * 1024 * 1024
  assert.equal((await channel.unary('/test.Echo/Large', utf8(String(size)))).length, size)
  await assert.rejects(channel.unary('/test.Echo/Large', utf8(String(size + 1))), {
    code: 'ERR_NODE_MESSAGE_SIZE',
    message: /67108865 bytes; the limit is 67108864/,
  })
  assert.equal((await channel.unary('/test.Echo/Large', utf8('3'))).length, 3)
  await end()
})

test('a server stream is whole and in order; the reader sets the pace', async () => {
  const { channel, seen, end } = connection()
  const answers = channel.stream('/test.Echo/Down', utf8('1000,65536'))
  const iterator = answers[Symbol.asyncIterator]()
  await iterator.next()
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(
    seen.written < 250,
    `${seen.written} of 1000 messages were written for one that was read`,
  )
  const rest = await collect(answers)
  assert.equal(rest.length, 999)
  rest.forEach((answer, n) => assert.equal(answer[0], (n + 2) % 251))
  await end()
})

test('client stream, both at once, and the failure of a stream after its first answer', async () => {
  const { channel, end } = connection()
  const up = await collect(channel.stream('/test.Echo/Up', repeat(200, new Uint8Array(50_000))))
  assert.deepEqual(up.map(text), ['10000000'])
  const both = await collect(channel.stream('/test.Echo/Both', repeat(300, utf8('round'))))
  assert.equal(both.length, 300)
  const seen: string[] = []
  await assert.rejects(
    async () => {
      for await (const answer of channel.stream('/test.Echo/FailDown', utf8('')))
        seen.push(text(answer))
    },
    { code: 'ERR_NODE_CALL', grpc: GrpcCode.failedPrecondition, message: /second: ünd %/ },
  )
  assert.deepEqual(seen, ['first'])
  await end()
})

test('a deadline that has passed fails at once, one beyond all timers is none', async () => {
  const { channel, end } = connection()
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8(''), { timeoutMs: 0 }), {
    code: 'ERR_NODE_TIMEOUT',
  })
  for (const timeoutMs of [Number.NaN, '5', null] as number[]) {
    const expected = { name: 'TypeError', message: /^timeoutMs is a number of milliseconds/ }
    await assert.rejects(channel.unary('/test.Echo/Unary', utf8(''), { timeoutMs }), expected)
  }
  for (const timeoutMs of [Infinity, 2 ** 31, 2 ** 31 - 1]) {
    const answer = await channel.unary('/test.Echo/Unary', utf8('in time'), { timeoutMs })
    assert.equal(text(answer), 'in time')
  }
  await end()
})

test('leaving a stream, an abort and a deadline end the call at the node', async () => {
  const clock = new ManualClock()
  const { channel, seen, end } = connection({ clock })
  for await (const answer of channel.stream('/test.Echo/Down', utf8('1000,65536'))) {
    assert.equal(answer.length, 65_536)
    break
  }
  const abort = new AbortController()
  const aborted = channel.unary('/test.Echo/Hang', utf8(''), { signal: abort.signal })
  const late = channel.unary('/test.Echo/Hang', utf8(''), { timeoutMs: 60_000 })
  await channel.unary('/test.Echo/Unary', utf8(''))
  const reason = new Error('no longer wanted')
  abort.abort(reason)
  await assert.rejects(aborted, reason)
  clock.advance(60_000)
  await assert.rejects(late, { code: 'ERR_NODE_TIMEOUT', message: /\/test.Echo\/Hang/ })
  await channel.unary('/test.Echo/Unary', utf8(''))
  assert.equal(seen.cancelled, 3)
  await assert.rejects(
    channel.unary('/test.Echo/Unary', utf8(''), { signal: AbortSignal.abort(reason) }),
    reason,
  )
  await end()
})

for (const length of [2_000, 60_000, 70_000]) {
  test(`a macaroon of ${length} characters passes both ways`, async () => {
    const macaroon = 'ab01'.repeat(length / 4)
    const { channel, end } = connection({ metadata: [['macaroon', macaroon]] })
    for (let i = 0; i < 3; i++) {
      assert.equal(text(await channel.unary('/test.Echo/Macaroon', utf8(''))), String(length))
    }
    await end()
  })
}

test('what the node refuses becomes a coded error that names the method', async () => {
  const { channel, end } = connection()
  const litd =
    'lnd macaroon validation failed: rpc error: code = InvalidArgument desc = permission denied'
  const cases: [string, Partial<PinholeError>][] = [
    [`2|${litd}`, { code: 'ERR_NODE_PERMISSION' }],
    ['2|permission denied', { code: 'ERR_NODE_PERMISSION' }],
    [
      '2|verification failed: signature mismatch after caveat verification',
      { code: 'ERR_NODE_PERMISSION' },
    ],
    [
      '2|caveat "time-before 2023-09-16T19:16:04Z" not satisfied: macaroon has expired',
      { code: 'ERR_SESSION_EXPIRED' },
    ],
    ['4|too slow', { code: 'ERR_NODE_TIMEOUT' }],
    ['5|unable to locate invoice', { code: 'ERR_NODE_CALL', grpc: GrpcCode.notFound }],
    [
      '2|invoice exists: permission denied by peer',
      { code: 'ERR_NODE_CALL', grpc: GrpcCode.unknown },
    ],
  ]
  for (const [request, expected] of cases) {
    await assert.rejects(channel.unary('/test.Echo/Fail', utf8(request)), (error: unknown) => {
      assert.ok(error instanceof PinholeError)
      assert.equal(error.code, expected.code)
      if (expected.grpc !== undefined) assert.equal(error.grpc, expected.grpc)
      assert.match(error.message, /\/test.Echo\/Fail/)
      return true
    })
  }
  await assert.rejects(channel.unary('/test.Echo/None', utf8('')), {
    code: 'ERR_NODE_CALL',
    grpc: GrpcCode.unimplemented,
  })
  await end()
})

test('calls under way end when the connection does; later ones say that they never began', async () => {
  const { channel, theirs, served, server } = connection()
  await channel.unary('/test.Echo/Unary', utf8(''))
  const pending = channel.unary('/test.Echo/Hang', utf8(''))
  const stream = collect(channel.stream('/test.Echo/Down', utf8('1000,65536')))
  await theirs.close()
  await assert.rejects(pending, (error: unknown) => {
    assert.ok(!isUnprocessed(error))
    return error instanceof PinholeError && error.code === 'ERR_LINK_CLOSED'
  })
  await assert.rejects(stream, { code: 'ERR_LINK_CLOSED' })
  assert.equal(await channel.closed, undefined)
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8('')), (error: unknown) =>
    isUnprocessed(error),
  )
  await channel.close()
  await served
  server.forceShutdown()
})

test('the error of a broken link is the error of its calls', async () => {
  const { channel, ours, end } = connection()
  await channel.unary('/test.Echo/Unary', utf8(''))
  const broken = new PinholeError('ERR_GBN_SILENT', 'the peer is silent')
  const send = ours.send.bind(ours)
  ours.send = () => Promise.reject(broken)
  await assert.rejects(channel.unary('/test.Echo/Unary', utf8('')), broken)
  assert.equal(await channel.closed, broken)
  ours.send = send
  await end()
})

test('caller mistakes are TypeErrors', async () => {
  const { channel, end } = connection()
  await assert.rejects(channel.unary('GetInfo', utf8('')), TypeError)
  const bad = { metadata: [['te', 'x']] as const }
  await assert.rejects(channel.unary('/a.B/C', utf8(''), bad), TypeError)
  await end()
})
