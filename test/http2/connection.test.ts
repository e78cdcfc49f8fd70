import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { concat, fromHex, text, toHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { Http2Code, Http2Error } from '../../src/http2/error.ts'
import { Flag, FrameType, PREFACE, Setting, readUint32 } from '../../src/http2/frame.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import {
  CONNECTION_WINDOW_BYTES,
  MESSAGE_BYTES,
  STREAM_WINDOW_BYTES,
} from '../../src/http2/limits.ts'
import { HandPeer, Recorder } from './peer.ts'

const EMPTY = new Uint8Array(0)
const bytes = (hex: string) => fromHex(hex) ?? assert.fail(`no hex: ${hex}`)
const http2 = (code: number) => (error: unknown) =>
  error instanceof Http2Error && error.http2 === code

interface Recorded {
  cases: { name: string; noise_messages: { dir: string; plaintext?: string }[] }[]
}
const recorded = JSON.parse(
  readFileSync(new URL('../vectors/lnc/stack_decoded.json', import.meta.url), 'utf8'),
) as Recorded

/** The recorded plaintexts of one direction, up to the first that is cut short. */
function recordedBytes(dir: 'c2s' | 's2c'): Uint8Array {
  const plain = recorded.cases[0]?.noise_messages.flatMap((message) =>
    message.dir === dir && message.plaintext ? [message.plaintext] : [],
  )
  const upTo = plain?.findIndex((hex) => hex.endsWith('...')) ?? 0
  return concat(...(plain ?? []).slice(0, upTo).map(bytes))
}

test('the preface is a message of its own, SETTINGS and requests follow in one', () => {
  const peer = new HandPeer()
  peer.request(new Recorder()).send(EMPTY, true)
  assert.deepEqual(peer.connection.take(MESSAGE_BYTES), PREFACE)
  assert.deepEqual(
    peer.frames().map(({ type }) => type),
    [FrameType.settings, FrameType.windowUpdate, FrameType.headers, FrameType.data],
  )
  assert.equal(peer.connection.take(MESSAGE_BYTES), undefined)
})

test("Go's recorded requests are understood, in pieces of every size", () => {
  for (const size of [1, 7, 100, 5_000]) {
    const recorder = new Recorder()
    const peer = new HandPeer(() => recorder)
    const all = recordedBytes('c2s')
    assert.ok(all.length > 200)
    for (let at = 0; at < all.length; at += size)
      peer.connection.receive(all.subarray(at, at + size))
    const [request] = recorder.lists
    assert.deepEqual(request?.fields.slice(0, 2), [
      [':method', 'POST'],
      [':scheme', 'http'],
    ])
    assert.ok(request?.fields.some(([name, value]) => name === ':authority' && value === 'lnd'))
    assert.ok(request?.fields.some(([name]) => name === 'macaroon'))
    assert.ok(recorder.ended)
  }
})

test("Go's recorded answers are understood", () => {
  const peer = new HandPeer()
  const recorder = new Recorder()
  peer.request(recorder).send(EMPTY, true)
  // The later answers belong to requests that were not made here.
  try {
    peer.connection.receive(recordedBytes('s2c'))
  } catch (error) {
    assert.ok(http2(Http2Code.protocolError)(error))
  }
  const [head, trailers] = recorder.lists
  assert.deepEqual(head?.fields[0], [':status', '200'])
  assert.ok(recorder.bytes > 0)
  assert.deepEqual(trailers?.fields[0], ['grpc-status', '0'])
  assert.equal(trailers?.end, true)
})

test('a body waits for both windows, and goes on when either grows', () => {
  const peer = new HandPeer().open([[Setting.initialWindowSize, 20_000]])
  peer.frames()
  const recorder = new Recorder()
  const stream = peer.request(recorder)
  stream.send(new Uint8Array(100_000), true)
  const sizes = () =>
    peer.frames().flatMap(({ type, payload }) => (type === FrameType.data ? [payload.length] : []))
  const sum = (list: number[]) => list.reduce((a, b) => a + b, 0)
  assert.equal(sum(sizes()), 20_000)
  peer.write.number(FrameType.windowUpdate, stream.id, 60_000)
  peer.deliver()
  assert.equal(sum(sizes()), 45_535, 'the window of the connection is 65,535')
  assert.equal(recorder.drains, 0)
  peer.write.number(FrameType.windowUpdate, 0, 1_000_000)
  peer.deliver()
  assert.equal(sum(sizes()), 14_465)
  // SETTINGS may make a window negative (RFC 9113 §6.9.2).
  peer.write.settings([[Setting.initialWindowSize, 0]])
  peer.write.number(FrameType.windowUpdate, stream.id, 20_000)
  peer.deliver()
  assert.equal(sum(sizes()), 0)
  peer.write.number(FrameType.windowUpdate, stream.id, 20_000)
  peer.deliver()
  assert.equal(sum(sizes()), 20_000)
  assert.equal(stream.localClosed, true)
  assert.equal(recorder.drains, 1)
})

test('messages are full, streams take turns, and what is urgent overtakes bodies', () => {
  const peer = new HandPeer().open([[Setting.initialWindowSize, 1_000_000]])
  peer.write.number(FrameType.windowUpdate, 0, 10_000_000)
  peer.deliver()
  peer.frames()
  const one = peer.request(new Recorder())
  const other = peer.request(new Recorder())
  one.send(new Uint8Array(300_000), true)
  other.send(new Uint8Array(300_000), true)
  const first = peer.connection.take(MESSAGE_BYTES)
  assert.equal(first?.length, MESSAGE_BYTES)
  peer.write.frame(FrameType.ping, 0, 0, bytes('0102030405060708'))
  peer.deliver()
  const second = peer.connection.take(MESSAGE_BYTES)
  assert.equal(second?.length, MESSAGE_BYTES)
  assert.ok(toHex(second ?? EMPTY).includes('0000080601000000000102030405060708'))
  const left = new Map([
    [one.id, 0],
    [other.id, 0],
  ])
  for (const frame of peer.frames()) {
    if (frame.type !== FrameType.data) continue
    left.set(frame.stream, (left.get(frame.stream) ?? 0) + frame.payload.length)
    const [a = 0, b = 0] = left.values()
    if (b < 200_000) assert.ok(Math.abs(a - b) <= 2 * MESSAGE_BYTES, `${a} and ${b}`)
  }
})

test('a ping asks for a sign of life, and its answer is taken', () => {
  const peer = new HandPeer()
  assert.equal(peer.connection.settled, false)
  peer.open()
  assert.equal(peer.connection.settled, true)
  peer.frames()
  peer.connection.ping()
  const [ping, ...more] = peer.frames()
  assert.deepEqual([ping?.type, ping?.flags, ping?.payload.length], [FrameType.ping, 0, 8])
  assert.equal(more.length, 0)
  peer.write.frame(FrameType.ping, Flag.ack, 0, new Uint8Array(8))
  peer.deliver()
  assert.deepEqual(peer.frames(), [])
  peer.connection.end()
  peer.frames()
  peer.connection.ping()
  assert.deepEqual(peer.frames(), [])
})

test('what is consumed is given back, in large steps; what is not, bounds the peer', () => {
  const peer = new HandPeer().open()
  const recorder = new Recorder()
  const stream = peer.request(recorder)
  peer.frames()
  peer.write.headers(stream.id, peer.encoder.encode([[':status', '200']]), false)
  const chunk = new Uint8Array(16_384)
  for (let sent = 0; sent < STREAM_WINDOW_BYTES; sent += chunk.length) {
    peer.write.data(stream.id, chunk, 0, chunk.length, false)
  }
  peer.deliver()
  assert.equal(recorder.bytes, STREAM_WINDOW_BYTES)
  assert.deepEqual(peer.frames(), [])
  stream.consume(STREAM_WINDOW_BYTES)
  assert.deepEqual(
    peer.frames().map(({ type, stream: id, payload }) => [type, id, readUint32(payload, 0)]),
    [
      [FrameType.windowUpdate, 0, STREAM_WINDOW_BYTES],
      [FrameType.windowUpdate, stream.id, STREAM_WINDOW_BYTES],
    ],
  )
  for (let sent = 0; sent < STREAM_WINDOW_BYTES; sent += chunk.length) {
    peer.write.data(stream.id, chunk, 0, chunk.length, false)
  }
  peer.write.data(stream.id, chunk, 0, 1, false)
  assert.throws(() => peer.deliver(), http2(Http2Code.flowControlError))
})

test('bodies of a stream that was reset count for the connection alone, and padding for nothing', () => {
  const peer = new HandPeer().open()
  const gone = peer.request(new Recorder())
  gone.reset(Http2Code.cancel)
  const recorder = new Recorder()
  const stream = peer.request(recorder)
  peer.frames()
  const chunk = new Uint8Array(16_384)
  for (let sent = 0; sent < 2 * CONNECTION_WINDOW_BYTES; sent += chunk.length) {
    peer.write.data(gone.id, chunk, 0, chunk.length, false)
    if (sent % (64 * chunk.length) === 0) peer.deliver()
  }
  peer.deliver()
  peer.write.frame(
    FrameType.data,
    Flag.padded,
    stream.id,
    concat(Uint8Array.of(3, 9, 9), new Uint8Array(3)),
  )
  peer.deliver()
  assert.equal(recorder.bytes, 2)
  peer.write.frame(FrameType.data, Flag.padded, stream.id, Uint8Array.of(2, 1))
  assert.throws(() => peer.deliver(), http2(Http2Code.protocolError))
})

test('requests wait while the peer allows no more, and a refused or late one is told apart', () => {
  const peer = new HandPeer().open([[Setting.maxConcurrentStreams, 1]])
  const recorders = Array.from({ length: 4 }, () => new Recorder())
  const [first, second, third, fourth] = recorders.map((recorder) => peer.request(recorder))
  assert.ok(first && second && third && fourth)
  assert.deepEqual([first.id, second.id, third.id], [1, 0, 0])
  peer.write.number(FrameType.rstStream, first.id, Http2Code.refusedStream)
  peer.deliver()
  assert.equal(second.id, 3)
  third.reset(Http2Code.cancel)
  peer.write.goAway(3, Http2Code.noError)
  peer.deliver()
  assert.deepEqual(
    recorders.map(({ failures }) => failures),
    [[{ kind: 'refused' }], [], [], [{ kind: 'refused' }]],
  )
  assert.equal(peer.connection.open, false)
  assert.equal(peer.connection.done, false)
  second.send(EMPTY, true)
  peer.write.headers(3, peer.encoder.encode([[':status', '200']]), true)
  peer.deliver()
  assert.equal(peer.connection.done, true)
  assert.throws(() => peer.request(new Recorder()), TypeError)
})

test('GOAWAY with a fault, and the end of the link, end all calls with the reason', () => {
  const peer = new HandPeer().open()
  const recorder = new Recorder()
  peer.request(recorder)
  peer.write.goAway(1, Http2Code.enhanceYourCalm)
  let seen: unknown
  try {
    peer.deliver()
  } catch (error) {
    seen = error
  }
  assert.ok(seen instanceof PinholeError && /enhanceYourCalm/.test(seen.message))
  peer.connection.end(seen)
  assert.deepEqual(recorder.failures, [{ kind: 'lost', error: seen }])
})

test('a server answers, refuses what comes after its GOAWAY, and ignores streams of the past', () => {
  const recorder = new Recorder()
  const peer = new HandPeer((stream) => {
    recorder.headers = (fields, end) => {
      recorder.lists.push({ fields, end })
      stream.respond([[':status', '200']])
      stream.send(new TextEncoder().encode('body'), false)
      stream.finish([['grpc-status', '0']])
    }
    return recorder
  })
  peer.connection.receive(PREFACE)
  peer.open()
  peer.frames()
  const list: Field[] = [[':path', '/a.B/C']]
  peer.write.headers(1, peer.encoder.encode(list), true)
  peer.deliver()
  const answer = peer.frames()
  assert.deepEqual(
    answer.map(({ type, flags }) => [type, flags]),
    [
      [FrameType.headers, Flag.endHeaders],
      [FrameType.data, 0],
      [FrameType.headers, Flag.endHeaders | Flag.endStream],
    ],
  )
  assert.equal(text(answer[1]?.payload ?? EMPTY), 'body')
  peer.connection.drain()
  peer.write.headers(3, peer.encoder.encode(list), true)
  peer.write.headers(1, peer.encoder.encode(list), true)
  peer.deliver()
  assert.deepEqual(
    peer
      .frames()
      .map(({ type, stream, payload }) => [type, stream, readUint32(payload, payload.length - 4)]),
    [
      [FrameType.goAway, 0, Http2Code.noError],
      [FrameType.rstStream, 3, Http2Code.refusedStream],
    ],
  )
  assert.equal(recorder.lists.length, 1)
  assert.equal(peer.connection.done, true)
  assert.throws(() => {
    peer.write.headers(4, peer.encoder.encode(list), true)
    peer.deliver()
  }, Http2Error)
})
