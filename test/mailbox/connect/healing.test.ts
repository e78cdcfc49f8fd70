/** A session that was ready goes on by itself, whatever happens on the way. */
import assert from 'node:assert/strict'
import test from 'node:test'

import { connect } from '../../../mailbox/connect/node.ts'
import { listen } from '../../../mailbox/listen/listen.ts'
import { memoryStore } from '../../../mailbox/pairing/pairing.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { lasting, setUpEnds, TRANSPORTS, until } from '../ends.ts'

const HELLO = utf8('hello')
const SOON = { timeoutMs: 10_000 }

for (const [client, node] of TRANSPORTS) {
  test(`client over ${client}, node over ${node}: a relay that restarts costs no call`, async (t) => {
    const ends = await setUpEnds(t)
    const listener = ends.use(await listen(ends.listening({ transport: node })))
    const { phrase } = listener
    const paired = ends.use(await connect(ends.connecting({ phrase, transport: client })))
    const states: string[] = []
    paired.onState(({ name }) => states.push(name))
    const calls = Array.from({ length: 4 }, () => paired.rpc.unary('/test.Echo/Unary', HELLO))
    await ends.relay.kill()
    const during = paired.rpc.unary('/test.Echo/Unary', HELLO, SOON)
    await ends.relay.start()
    const tookMs = await lasting(during)
    assert.equal((await during).length, HELLO.length)
    assert.ok(tookMs < 2500, `${tookMs} ms after the relay was back`)
    assert.equal((await Promise.all(calls)).length, 4)
    assert.deepEqual(states, [], 'the connection has survived')
  })
}

test('a stream goes on over cut connections, every message once and in order', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const node = ends.use(await connect(ends.connecting({ phrase: listener.phrase })))
  let sent = 0
  let received = 0
  const requests = async function* () {
    for (; sent < 60; sent++) {
      yield utf8(String(sent))
      if (sent % 20 === 10) ends.relay.cut()
    }
  }
  for await (const answer of node.rpc.stream('/test.Echo/Both', requests())) {
    assert.equal(new TextDecoder().decode(answer), String(received++))
  }
  assert.equal(received, 60)
  assert.equal(node.state.name, 'ready')
})

test('a node that restarts is met again; what was under way fails with a code', async (t) => {
  const ends = await setUpEnds(t)
  const store = memoryStore()
  const first = await listen(ends.listening({ store }))
  const node = ends.use(await connect(ends.connecting({ phrase: first.phrase })))
  const states: string[] = []
  node.onState(({ name }) => states.push(name))
  const hanging = assert.rejects(node.rpc.unary('/test.Echo/Hang', HELLO), {
    code: 'ERR_LINK_CLOSED',
  })
  await first.close()
  await hanging
  await until(() => node.state.name === 'reconnecting')
  const waiting = node.rpc.unary('/test.Echo/Unary', HELLO, SOON)
  const streaming = node.rpc.stream('/test.Echo/Both', HELLO, SOON)
  ends.use(await listen(ends.listening({ store })))
  assert.equal((await waiting).length, HELLO.length)
  for await (const answer of streaming) assert.equal(answer.length, HELLO.length)
  assert.equal(states.at(-1), 'ready')
})

test('without a connection a call fails at its deadline with the reason, or by its signal', async (t) => {
  const ends = await setUpEnds(t)
  const listener = await listen(ends.listening())
  const node = ends.use(await connect(ends.connecting({ phrase: listener.phrase })))
  await listener.close()
  await ends.relay.kill()
  await until(
    () => node.state.name === 'reconnecting' && node.state.reason.code === 'ERR_RELAY_UNREACHABLE',
  )
  await assert.rejects(node.rpc.unary('/test.Echo/Unary', HELLO, { timeoutMs: 30 }), {
    code: 'ERR_RELAY_UNREACHABLE',
    message: /\/test\.Echo\/Unary did not start in time/,
  })
  const enough = new AbortController()
  const aborted = node.rpc.unary('/test.Echo/Unary', HELLO, { signal: enough.signal })
  const left = node.rpc.stream('/test.Echo/Both', HELLO)[Symbol.asyncIterator]()
  const reason = new Error('enough')
  enough.abort(reason)
  await assert.rejects(aborted, reason)
  assert.equal((await left.return?.())?.done, true)
  const closed = assert.rejects(node.rpc.unary('/test.Echo/Unary', HELLO), {
    code: 'ERR_SESSION_CLOSED',
  })
  await node.close()
  await closed
})

test('a service may start before its node: an endless timeout waits', async (t) => {
  const ends = await setUpEnds(t)
  const nodeStore = memoryStore()
  const store = memoryStore()
  const first = await listen(ends.listening({ store: nodeStore }))
  await connect(ends.connecting({ phrase: first.phrase, store })).then((node) => node.close())
  await first.close()
  const { mailbox } = ends.relay
  await ends.relay.kill()
  const connecting = connect(ends.connecting({ store, timeoutMs: Infinity }))
  const listening = listen(ends.listening({ store: nodeStore, timeoutMs: Infinity }))
  await new Promise((resolve) => setTimeout(resolve, 50))
  await ends.relay.start()
  assert.equal(ends.relay.mailbox, mailbox)
  ends.use(await listening)
  const node = ends.use(await connecting)
  assert.equal((await node.rpc.unary('/test.Echo/Unary', HELLO)).length, HELLO.length)
})
