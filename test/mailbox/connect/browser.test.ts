/** The browser's `connect` on a `WebSocket` of the same interface; test/system has a real browser. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { WebSocket } from 'ws'

import { connect as connectInBrowser } from '../../../mailbox/connect/browser.ts'
import { connect } from '../../../mailbox/connect/node.ts'
import { listen } from '../../../mailbox/listen/listen.ts'
import { memoryStore } from '../../../mailbox/pairing/pairing.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { setUpEnds } from '../ends.ts'

const HELLO = utf8('hello')

function withWebSocket(t: { after(fn: () => void): void }): void {
  const before: unknown = Reflect.get(globalThis, 'WebSocket')
  Reflect.set(globalThis, 'WebSocket', WebSocket)
  t.after(() => void Reflect.set(globalThis, 'WebSocket', before))
}

test('pairs, heals, meets again over a relay without TLS', async (t) => {
  withWebSocket(t)
  const ends = await setUpEnds(t, 'http1')
  const listener = ends.use(await listen(ends.listening({ transport: 'websocket' })))
  const store = memoryStore()
  const first = await connectInBrowser(ends.connecting({ phrase: listener.phrase, store }))
  assert.equal((await first.rpc.unary('/test.Echo/Unary', HELLO)).length, HELLO.length)
  ends.relay.cut()
  const large = await first.rpc.unary('/test.Echo/Large', utf8('300000'))
  assert.equal(large.length, 300_000)
  await first.close()
  const second = ends.use(await connectInBrowser(ends.connecting({ store })))
  assert.equal((await second.rpc.unary('/test.Echo/Unary', HELLO)).length, HELLO.length)
})

test('has no gRPC transport, and no WebSocket where there is none', async (t) => {
  const ends = await setUpEnds(t, 'http1')
  const phrase = 'zoo '.repeat(10)
  const without = ends.connecting({ phrase })
  if (Reflect.get(globalThis, 'WebSocket') === undefined) {
    await assert.rejects(connectInBrowser(without), TypeError)
  }
  await assert.rejects(connectInBrowser({ ...without, transport: 'grpc' }), TypeError)
})

test('gRPC reaches a relay without TLS too', async (t) => {
  const ends = await setUpEnds(t, 'http2')
  const listener = ends.use(await listen(ends.listening()))
  const { phrase } = listener
  const node = ends.use(await connect(ends.connecting({ phrase, transport: 'grpc' })))
  assert.equal((await node.rpc.unary('/test.Echo/Unary', HELLO)).length, HELLO.length)
})
