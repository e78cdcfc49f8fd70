import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { Http2Code, Http2Error } from '../../src/http2/error.ts'
import { Flag, FrameType, PREFACE } from '../../src/http2/frame.ts'
import { FrameWriter } from '../../src/http2/frame-writer.ts'
import { MAX_CONTINUATIONS, MAX_WAITING_ACKS, MESSAGE_BYTES } from '../../src/http2/limits.ts'
import { HandPeer, Recorder } from './peer.ts'

const EMPTY = new Uint8Array(0)
const bytes = (hex: string) => fromHex(hex) ?? assert.fail(`no hex: ${hex}`)
const http2 = (code: number) => (error: unknown) =>
  error instanceof Http2Error && error.http2 === code

test('an unsound frame ends the connection with the code of RFC 9113', () => {
  const frame = (type: number, flags: number, stream: number, hex: string) => (peer: HandPeer) =>
    peer.write.frame(type, flags, stream, bytes(hex))
  const cases: [string, (peer: HandPeer) => void, number][] = [
    ['DATA on stream 0', frame(FrameType.data, 0, 0, '00'), Http2Code.protocolError],
    ['DATA on an idle stream', frame(FrameType.data, 0, 99, '00'), Http2Code.protocolError],
    ['HEADERS on stream 0', frame(FrameType.headers, 4, 0, '88'), Http2Code.protocolError],
    ['HEADERS on an idle stream', frame(FrameType.headers, 4, 7, '88'), Http2Code.protocolError],
    ['CONTINUATION alone', frame(FrameType.continuation, 4, 1, '88'), Http2Code.protocolError],
    ['a push', frame(FrameType.pushPromise, 4, 1, '00000002'), Http2Code.protocolError],
    ['PING of 7 bytes', frame(FrameType.ping, 0, 0, '00000000000000'), Http2Code.frameSizeError],
    ['RST_STREAM of 3 bytes', frame(FrameType.rstStream, 0, 1, '000000'), Http2Code.frameSizeError],
    [
      'SETTINGS of 5 bytes',
      frame(FrameType.settings, 0, 0, '0000000000'),
      Http2Code.frameSizeError,
    ],
    ['SETTINGS of a stream', frame(FrameType.settings, 0, 1, ''), Http2Code.protocolError],
    [
      'frames of 100 bytes',
      frame(FrameType.settings, 0, 0, '000500000064'),
      Http2Code.protocolError,
    ],
    [
      'a window of 2^31',
      frame(FrameType.settings, 0, 0, '000480000000'),
      Http2Code.flowControlError,
    ],
    ['an increment of 0', frame(FrameType.windowUpdate, 0, 0, '00000000'), Http2Code.protocolError],
    [
      'a window past 2^31',
      frame(FrameType.windowUpdate, 0, 0, '7fffffff'),
      Http2Code.flowControlError,
    ],
    ['HPACK nonsense', frame(FrameType.headers, 4, 1, 'ff'), Http2Code.compressionError],
    [
      'HEADERS cut short',
      frame(FrameType.headers, 4 | Flag.priority, 1, '0000'),
      Http2Code.frameSizeError,
    ],
    ['GOAWAY of 4 bytes', frame(FrameType.goAway, 0, 0, '00000000'), Http2Code.frameSizeError],
    [
      'a frame inside a header block',
      (peer) => {
        peer.write.frame(FrameType.headers, 0, 1, bytes('88'))
        peer.write.frame(FrameType.ping, 0, 0, bytes('0000000000000000'))
      },
      Http2Code.protocolError,
    ],
    [
      'CONTINUATION without end',
      (peer) => {
        peer.write.frame(FrameType.headers, 0, 1, bytes('88'))
        for (let i = 0; i <= MAX_CONTINUATIONS; i++) {
          peer.write.frame(FrameType.continuation, 0, 1, EMPTY)
        }
      },
      Http2Code.enhanceYourCalm,
    ],
    [
      'a flood of PING',
      (peer) => {
        for (let i = 0; i <= MAX_WAITING_ACKS; i++) {
          peer.write.frame(FrameType.ping, 0, 0, bytes('0000000000000000'))
        }
      },
      Http2Code.enhanceYourCalm,
    ],
  ]
  for (const [what, write, code] of cases) {
    const peer = new HandPeer().open()
    peer.request(new Recorder())
    peer.frames()
    write(peer)
    assert.throws(() => peer.deliver(), http2(code), what)
  }
  const early = new HandPeer()
  early.write.frame(FrameType.ping, 0, 0, bytes('0000000000000000'))
  assert.throws(() => early.deliver(), http2(Http2Code.protocolError))
  const long = new HandPeer().open()
  assert.throws(
    () => long.connection.receive(bytes('004001000000000001')),
    http2(Http2Code.frameSizeError),
  )
  const notHttp2 = new HandPeer(() => new Recorder())
  assert.throws(
    () => notHttp2.connection.receive(new TextEncoder().encode('GET / HTTP/1.1\r\n')),
    Http2Error,
  )
})

const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 0, max: 11 }),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x2d, 255),
    stream: fc.constantFrom(0, 1, 2, 3, 5, 2 ** 31 - 1),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(bytes('000400010000')),
      fc.constant(bytes('88')),
    ),
  }),
  { maxLength: 12 },
)

for (const role of ['client', 'server'] as const) {
  test(`any sequence of frames is taken by a ${role} or ends in a coded error`, () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 64 }), (list, size) => {
        const peer = role === 'client' ? new HandPeer() : new HandPeer(() => new Recorder())
        const writer = new FrameWriter()
        if (role === 'server') writer.raw(PREFACE)
        else
          for (let i = 0; i < 2; i++) peer.request(new Recorder()).send(new Uint8Array(10), i === 0)
        writer.settings([])
        for (const { type, flags, stream, payload } of list)
          writer.frame(type, flags, stream, payload)
        const all = writer.take(Number.MAX_SAFE_INTEGER)
        try {
          for (let at = 0; at < all.length; at += size) {
            peer.connection.receive(all.subarray(at, at + size))
          }
        } catch (error) {
          assert.ok(error instanceof PinholeError, String(error))
          peer.connection.end(error)
        }
        if (role === 'client') assert.deepEqual(peer.connection.take(MESSAGE_BYTES), PREFACE)
        assert.ok(peer.frames().length < 100)
      }),
      { numRuns: 10_000 },
    )
  })

  test(`any bytes are taken by a ${role} or end in a coded error`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const peer = role === 'client' ? new HandPeer() : new HandPeer(() => new Recorder())
        if (role === 'server') peer.connection.receive(PREFACE)
        try {
          peer.open().connection.receive(noise)
        } catch (error) {
          assert.ok(error instanceof PinholeError, String(error))
        }
      }),
      { numRuns: 10_000 },
    )
  })
}
