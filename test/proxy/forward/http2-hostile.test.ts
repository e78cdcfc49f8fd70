import assert from 'node:assert/strict'
import net from 'node:net'
import { PassThrough } from 'node:stream'
import test, { type TestContext } from 'node:test'
import fc from '../../fast-check.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { Http2Code } from '../../../src/http2/error.ts'
import { Flag, type Frame, FrameReader, FrameType, PREFACE } from '../../../src/http2/frame.ts'
import { FrameWriter } from '../../../src/http2/frame-writer.ts'
import { HpackEncoder } from '../../../src/http2/hpack-encoder.ts'
import type { Field } from '../../../src/http2/hpack-table.ts'
import { Exchange } from '../../../proxy/forward/exchange.ts'
import { Http2Connection } from '../../../proxy/forward/http2-connection.ts'
import { sendHttp2 } from '../../../proxy/forward/http2-request.ts'
import type { Outcome } from '../../../proxy/forward/passage.ts'
import type { Reply } from '../../../proxy/forward/reply.ts'
import { ask, listenOn, service, startHub, TIMEOUTS } from './forwarding.ts'

const EMPTY = new Uint8Array(0)
const ALL = Number.MAX_SAFE_INTEGER

/** One connection of an upstream that writes its frames by hand. */
class HandUpstream {
  readonly write = new FrameWriter()
  readonly #encoder = new HpackEncoder()
  readonly #socket: net.Socket

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.write.settings([])
  }

  head(id: number, fields: readonly Field[], end = false): void {
    this.write.headers(id, this.#encoder.encode(fields), end)
  }

  body(id: number, text: string, end = false): void {
    const bytes = Buffer.from(text)
    this.write.data(id, bytes, 0, bytes.length, end)
  }

  flush(): void {
    this.#socket.write(this.write.take(ALL))
  }
}

/** An upstream that calls `answer` for each request; `n` counts them over all its connections. */
function upstream(
  t: TestContext,
  answer: (peer: HandUpstream, id: number, n: number) => void,
  seen: (frame: Frame) => void = () => {},
): Promise<string> {
  let n = 0
  const server = net.createServer((socket) => {
    t.after(() => socket.destroy())
    const peer = new HandUpstream(socket)
    const reader = new FrameReader()
    let preface = PREFACE.length
    peer.flush()
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        const rest = bytes.subarray(preface)
        preface -= bytes.length - rest.length
        reader.read(rest, (frame) => {
          seen(frame)
          if (frame.type !== FrameType.headers) return
          answer(peer, frame.stream, n++)
          peer.flush()
        })
      })
  })
  return listenOn(t, server)
}

const OK: Field = [':status', '200']
const BAD: readonly [what: string, answer: (peer: HandUpstream, id: number) => void][] = [
  ['no status', (peer, id) => peer.head(id, [['x-a', '1']], true)],
  ['a status of two digits', (peer, id) => peer.head(id, [[':status', '20']], true)],
  ['two statuses', (peer, id) => peer.head(id, [OK, OK], true)],
  ['a status behind a field', (peer, id) => peer.head(id, [['x-a', '1'], OK], true)],
  ['a pseudo-header of requests', (peer, id) => peer.head(id, [OK, [':path', '/']], true)],
  ['an upper-case name', (peer, id) => peer.head(id, [OK, ['X-A', '1']], true)],
  ['an empty name', (peer, id) => peer.head(id, [OK, ['', '1']], true)],
  ['a line break in a value', (peer, id) => peer.head(id, [OK, ['x-a', '1\r\nx-b: 2']], true)],
  ['a zero byte in a value', (peer, id) => peer.head(id, [OK, ['x-a', '\0']], true)],
  ['a connection header', (peer, id) => peer.head(id, [OK, ['connection', 'close']], true)],
  ['chunks', (peer, id) => peer.head(id, [OK, ['transfer-encoding', 'chunked']], true)],
  [
    'two lengths',
    (peer, id) => peer.head(id, [OK, ['content-length', '0'], ['content-length', '0']], true),
  ],
  ['a length of no number', (peer, id) => peer.head(id, [OK, ['content-length', '+1']], true)],
  ['a length without a body', (peer, id) => peer.head(id, [OK, ['content-length', '1']], true)],
  ['an interim answer at the end', (peer, id) => peer.head(id, [[':status', '103']], true)],
  ['a body before its head', (peer, id) => peer.body(id, 'x', true)],
  ['GOAWAY with an error', (peer) => peer.write.goAway(ALL & 0x7fffffff, Http2Code.protocolError)],
  ['a push', (peer, id) => peer.write.frame(FrameType.pushPromise, Flag.endHeaders, id, EMPTY)],
  ['HPACK nonsense', (peer, id) => peer.write.headers(id, Uint8Array.of(0xff, 0xff), true)],
  ['HTTP/1.1', (peer) => peer.write.raw(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))],
  [
    'a frame of 1 MiB',
    (peer, id) => peer.write.raw(Uint8Array.of(16, 0, 0, FrameType.data, 0, 0, 0, 0, id)),
  ],
  [
    'headers without end',
    (peer, id) => {
      for (let i = 0; i < 5_000; i++) peer.head(id, [OK, ['x-a', 'b'.repeat(500)]])
    },
  ],
  [
    'a header list beyond its limit',
    (peer, id) => {
      const many = Array.from({ length: 200 }, (_, i): Field => [`x-${i}`, 'c'.repeat(500)])
      peer.head(id, [OK, ...many], true)
    },
  ],
]

for (const [what, answer] of BAD) {
  test(`an upstream that sends ${what} costs that request, and the next is served`, async (t) => {
    const address = await upstream(t, (peer, id, n) => {
      if (n === 0) answer(peer, id)
      else peer.head(id, [OK], true)
    })
    const hub = await startHub(t, service({ protocol: 'h2c', address }))
    const outcome = hub.next()
    const first = await ask(hub.url).then(
      ({ status, headers }) => ({ status, headers }),
      () => undefined,
    )
    assert.ok(first === undefined || first.status === 502, String(first?.status))
    assert.equal(first?.headers['x-b'], undefined)
    assert.equal((await outcome).name, 'failed')
    assert.equal((await ask(hub.url)).status, 200)
  })
}

for (const [what, bodies] of [
  ['less than', ['1234', '567']],
  ['more than', ['1234', '56789']],
] as const) {
  test(`a body of ${what} its content-length is broken off`, async (t) => {
    const address = await upstream(t, (peer, id) => {
      peer.head(id, [OK, ['content-length', '8']])
      bodies.forEach((text, i) => peer.body(id, text, i === 1))
    })
    const hub = await startHub(t, service({ protocol: 'h2c', address }))
    await assert.rejects(ask(hub.url), /aborted|hang up/)
  })
}

test('a length without a body is right for HEAD and 304', async (t) => {
  const address = await upstream(t, (peer, id, n) => {
    peer.head(id, [n === 0 ? OK : [':status', '304'], ['content-length', '8']], true)
  })
  const hub = await startHub(t, service({ protocol: 'h2c', address }))
  const head = await ask(hub.url, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length']], [200, '8'])
  assert.equal((await ask(hub.url)).status, 304)
})

test('what a GOAWAY leaves out is sent again on another connection', async (t) => {
  const address = await upstream(t, (peer, id, n) => {
    if (n === 0) peer.write.goAway(0, Http2Code.noError)
    else peer.head(id, [OK], true)
  })
  const hub = await startHub(t, service({ protocol: 'h2c', address }))
  assert.equal((await ask(hub.url)).status, 200)
})

test('a client that takes nothing holds up its own stream only, and no more than a window of it', async (t) => {
  const CHUNK = 'x'.repeat(16_384)
  let given = 0
  const address = await upstream(
    t,
    (peer, id, n) => {
      peer.head(id, [OK], n > 0)
      // As much as connection and stream allow: the connection gets its bytes back, the stream does not.
      for (let i = 0; n === 0 && i < 63; i++) peer.body(id, CHUNK)
    },
    ({ type, stream, payload }) => {
      if (type === FrameType.windowUpdate && stream === 1)
        given += Buffer.from(payload).readUInt32BE()
    },
  )
  const hub = await startHub(t, service({ protocol: 'h2c', address }))
  const { port } = hub
  const slow = net.connect(port, '127.0.0.1').on('error', () => {})
  t.after(() => slow.destroy())
  slow.pause()
  slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  for (let i = 0; i < 5; i++) assert.equal((await ask(hub.url)).status, 200)
  assert.ok(given < 1_024 * 1_024, `${given} bytes were given back`)
})

const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 0, max: 11 }),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x2d, 255),
    stream: fc.constantFrom(0, 1, 3, 5),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(
        Uint8Array.of(0x88),
        Uint8Array.of(0x88, 0x5c, 1, 0x38),
        Uint8Array.of(0, 4, 0, 1, 0, 0),
        Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0),
        Uint8Array.of(0, 0, 0, 7),
      ),
    ),
  }),
  { maxLength: 12 },
)

/** A client's end that takes everything and remembers how its answer ended. */
class MemoryReply implements Reply {
  readonly body = new PassThrough()
  readonly sink = new PassThrough()
  readonly backlog = 0
  started = false
  ended = 0
  #close: (complete: boolean) => void = () => {}
  isBodyWhole = () => true
  requestTrailers = () => []
  info(): void {}
  head(): void {
    assert.equal(this.started, false, 'two heads')
    this.started = true
  }
  write(): boolean {
    return true
  }
  end(): void {
    this.ended++
    this.#close(true)
  }
  cut(): void {
    this.ended++
    this.#close(false)
  }
  onClose(listener: (complete: boolean) => void): void {
    this.#close = listener
  }
}

function exchangeOf(reply: Reply, hasBody: boolean, settle: (outcome: Outcome) => void): Exchange {
  const outgoing = {
    method: hasBody ? 'POST' : 'GET',
    path: '/',
    host: 'x',
    fields: ['X-A', '1'],
    headers: { trailers: () => [] },
    hasBody,
    length: undefined,
    trailer: undefined,
    expectsContinue: false,
    isGrpc: false,
    isSold: false,
  }
  return new Exchange(reply, outgoing, 'shop', { upstream: TIMEOUTS, writeMs: 0 }, settle)
}

test('no sequence of frames throws, and every request ends once', () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 64 }), fc.boolean(), (list, size, settled) => {
      const socket = new net.Socket()
      socket.write = () => true
      const connection = new Http2Connection(socket, {
        clock: systemClock,
        idleMs: 0,
        onClose: () => {},
      })
      const ends = [0, 0, 0]
      const replies = ends.map((_, i) => {
        const reply = new MemoryReply()
        const settle = () => void (ends[i] = (ends[i] ?? 0) + 1)
        const exchange = exchangeOf(reply, i === 1, settle)
        sendHttp2(connection, exchange, systemClock, () => exchange.fail(new Error('retried')))
        return reply
      })
      const writer = new FrameWriter()
      if (settled) writer.settings([])
      for (const { type, flags, stream, payload } of list) {
        writer.frame(type, flags, stream, payload)
      }
      const all = Buffer.from(writer.take(ALL))
      for (let at = 0; at < all.length; at += size) {
        socket.emit('data', all.subarray(at, at + size))
      }
      connection.destroy()
      assert.deepEqual(ends, [1, 1, 1])
      assert.deepEqual(
        replies.map(({ ended }) => ended),
        [1, 1, 1],
      )
    }),
    { numRuns: 3_000 },
  )
})
