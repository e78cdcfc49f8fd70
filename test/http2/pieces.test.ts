/** Small pieces and repeated settings: what a peer sends in little must not cost much. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { concat } from '../../src/base/bytes.ts'
import { Sender } from '../../src/http2/sender.ts'
import { applySettings } from '../../src/http2/settings.ts'
import { Http2Stream, type StreamEvents } from '../../src/http2/stream.ts'
import { Streams } from '../../src/http2/streams.ts'
import fc from '../fast-check.ts'

const NO_EVENTS: StreamEvents = { headers() {}, data() {}, drained() {}, failed() {} }
const HOST = { push() {}, abandon() {}, credit() {} }
const stuckStream = (): Http2Stream => new Http2Stream(HOST, 65_535, () => NO_EVENTS)

test('what waits is what was sent, in as few pieces as its size asks for', () => {
  const sizes = fc.array(fc.oneof(fc.nat(5), fc.nat(1100), fc.nat(9000)), { maxLength: 60 })
  fc.assert(
    fc.property(sizes, (lengths) => {
      const stream = stuckStream()
      const pieces = lengths.map((length, n) => new Uint8Array(length).fill(n + 1))
      for (const piece of pieces) stream.send(piece, false)
      assert.deepEqual(concat(...stream.queue), concat(...pieces))
      assert.equal(stream.queued, concat(...pieces).length)
    }),
  )
  const stream = stuckStream()
  for (let n = 0; n < 100_000; n++) stream.send(Uint8Array.of(n), false)
  assert.ok(stream.queue.length < 30, `${stream.queue.length} pieces for 100,000 bytes`)
})

test('a byte that waits does not keep the message that it came in', () => {
  const message = new Uint8Array(65_536).fill(7)
  const stream = stuckStream()
  stream.send(message.subarray(10, 11), false)
  message.fill(0)
  assert.deepEqual(concat(...stream.queue), Uint8Array.of(7))
})

test('SETTINGS that say the window a thousand times change the streams once', () => {
  let walks = 0
  class CountedStreams extends Streams {
    override values(): Iterable<Http2Stream> {
      walks++
      return super.values()
    }
  }
  const sender = new Sender(() => {})
  const streams = new CountedStreams('server', () => {})
  const stream = stuckStream()
  stream.id = 1
  stream.sendWindow = sender.initialWindow
  streams.add(stream)
  const window = (bytes: number): Buffer => {
    const setting = Buffer.alloc(6)
    setting.writeUInt16BE(4, 0)
    setting.writeUInt32BE(bytes, 2)
    return setting
  }
  const many = Array.from({ length: 1000 }, (_, n) => window(n))
  applySettings(Buffer.concat([...many, window(70_000)]), sender, streams)
  assert.equal(walks, 1)
  assert.equal(sender.initialWindow, 70_000)
  assert.equal(stream.sendWindow, 70_000)
  assert.throws(() => applySettings(Buffer.concat([window(2 ** 31), window(1)]), sender, streams), {
    code: 'ERR_HTTP2_FRAME',
  })
})
