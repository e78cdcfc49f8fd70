import assert from 'node:assert/strict'
import test from 'node:test'

import { connectOn } from '../../../mailbox/connect/connect.ts'
import { connect } from '../../../mailbox/connect/node.ts'
import { listen, listenOn } from '../../../mailbox/listen/listen.ts'
import { memoryStore } from '../../../mailbox/pairing/pairing.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { lasting, mortalPlatform, setUpEnds, TRANSPORTS, until } from '../ends.ts'

const HELLO = utf8('hello')
const MIB = 1024 * 1024

for (const [client, node] of TRANSPORTS) {
  test(`client over ${client}, node over ${node}: pairs, calls, moves 1 MiB each way, meets again`, async (t) => {
    const ends = await setUpEnds(t)
    const listener = ends.use(await listen(ends.listening({ transport: node })))
    const store = memoryStore()
    const options = ends.connecting({ store, transport: client })
    const first = ends.use(await connect({ ...options, phrase: listener.phrase ?? '' }))
    assert.equal(first.state.name, 'ready')
    assert.deepEqual(await first.rpc.unary('/test.Echo/Unary', HELLO), Uint8Array.from(HELLO))
    assert.equal((await first.rpc.unary('/test.Echo/Large', utf8(String(MIB)))).length, MIB)
    const up = first.rpc.stream('/test.Echo/Up', chunks(16, MIB / 16))
    for await (const total of up) assert.equal(new TextDecoder().decode(total), String(MIB))
    assert.equal(listener.phrase, undefined, 'the phrase has done its work')
    await first.close()

    const second = ends.use(await connect(options))
    assert.deepEqual(await second.rpc.unary('/test.Echo/Unary', HELLO), Uint8Array.from(HELLO))
    assert.equal((await store.load())?.phrase, undefined, 'keys alone have worked')
    const { localKey, remoteKey } = second.keys
    await second.close()
    assert.ok(remoteKey)

    const byKeys = ends.use(await connect(ends.connecting({ keys: { localKey, remoteKey } })))
    assert.deepEqual(await byKeys.rpc.unary('/test.Echo/Unary', HELLO), Uint8Array.from(HELLO))
  })
}

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(bytes).fill(i)
}

test('the macaroon of act two goes with every call', async (t) => {
  const ends = await setUpEnds(t)
  let drawn = 0
  const authData = () => `Macaroon: ${'ab'.repeat(100 + ++drawn)}`
  const listener = ends.use(await listen(ends.listening({ authData })))
  const store = memoryStore()
  const node = ends.use(await connect(ends.connecting({ phrase: listener.phrase, store })))
  const length = async (from = node) =>
    new TextDecoder().decode(await from.rpc.unary('/test.Echo/Macaroon', HELLO))
  assert.equal(await length(), '202')
  await node.close()
  // Auth data comes with every handshake; the newest counts (LNC §6.7).
  assert.equal(await length(ends.use(await connect(ends.connecting({ store })))), '204')
})

test('ten connections in a row, each closed and made again at once', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const store = memoryStore()
  const options = ends.connecting({ store, phrase: listener.phrase })
  const took: number[] = []
  for (let i = 0; i < 10; i++) {
    const connecting = connect(options)
    took.push(await lasting(connecting))
    const node = await connecting
    assert.deepEqual(await node.rpc.unary('/test.Echo/Unary', HELLO), Uint8Array.from(HELLO))
    await node.close()
  }
  const slow = took.filter((ms) => ms > 2000)
  assert.deepEqual(slow, [], 'no connection waits for a timer of seconds')
})

test('a client that vanishes without a word is served at once when it is back', async (t) => {
  const ends = await setUpEnds(t)
  const mortal = mortalPlatform()
  const listener = ends.use(await listenOn(mortalPlatform().platform)(ends.listening()))
  const store = memoryStore()
  const { phrase } = listener
  const gone = ends.use(await connectOn(mortal.platform)(ends.connecting({ store, phrase })))
  mortal.die()
  ends.relay.cut()
  const copy = memoryStore(await store.load())
  const again = connectOn(mortalPlatform().platform)
  const connecting = again(ends.connecting({ store: copy }))
  const tookMs = await lasting(connecting)
  const back = ends.use(await connecting)
  assert.deepEqual(await back.rpc.unary('/test.Echo/Unary', HELLO), Uint8Array.from(HELLO))
  assert.ok(tookMs < 3000, `nobody waited for the silence to be noticed: ${tookMs} ms`)
  assert.equal(gone.state.name, 'ready', 'which had not happened yet')
})

test('close ends calls under way with a code, later ones with another, and is idempotent', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const node = await connect(ends.connecting({ phrase: listener.phrase }))
  const states: string[] = []
  node.onState(({ name }) => states.push(name))
  const hanging = assert.rejects(node.rpc.unary('/test.Echo/Hang', HELLO), {
    code: 'ERR_LINK_CLOSED',
  })
  await Promise.all([node.close(), node.close()])
  await hanging
  await assert.rejects(node.rpc.unary('/test.Echo/Unary', HELLO), { code: 'ERR_SESSION_CLOSED' })
  assert.deepEqual(states, ['closed'])
  await until(() => listener.state.name === 'listening')
})

test('abort before, during and after the first connection', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const { phrase } = listener
  const reason = new Error('enough')
  const before = AbortSignal.abort(reason)
  await assert.rejects(connect(ends.connecting({ phrase, signal: before })), reason)
  const during = new AbortController()
  const connecting = connect(ends.connecting({ phrase, signal: during.signal }))
  setImmediate(() => during.abort(reason))
  await assert.rejects(connecting, reason)
  const after = new AbortController()
  const node = await connect(ends.connecting({ phrase, signal: after.signal }))
  after.abort(reason)
  assert.equal(node.state.name, 'closed')
  await node.close()
})

test('options that say nothing or too much are mistakes of the caller', async (t) => {
  const ends = await setUpEnds(t)
  const keys = { localKey: '01'.repeat(32), remoteKey: '02'.repeat(33) }
  await assert.rejects(connect(ends.connecting()), TypeError)
  await assert.rejects(connect(ends.connecting({ phrase: 'a b c', keys })), TypeError)
  await assert.rejects(connect(ends.connecting({ keys: { localKey: 'zz', remoteKey: '' } })), {
    code: 'ERR_SESSION_KEYS',
  })
  await assert.rejects(connect({ mailbox: 'ftp://x', phrase: 'abandon '.repeat(10) }), {
    code: 'ERR_RELAY_ADDRESS',
  })
  assert.equal(ends.relay.connections, 0, 'nothing was sent')
})
