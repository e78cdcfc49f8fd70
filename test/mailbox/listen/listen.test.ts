import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'

import { connect, nodePlatform } from '../../../mailbox/connect/node.ts'
import { connectOn } from '../../../mailbox/connect/connect.ts'
import type { Link } from '../../../mailbox/link.ts'
import { listen, listenOn, type Peer } from '../../../mailbox/listen/listen.ts'
import { memoryStore } from '../../../mailbox/pairing/pairing.ts'
import { parsePhrase } from '../../../mailbox/phrase.ts'
import { pairedStreamIds, pairingStreamIds } from '../../../mailbox/stream-id.ts'
import { parseMailbox } from '../../../mailbox/transport/address.ts'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { fileOf, NODE_ARGS } from '../../process.ts'
import { mortalPlatform, setUpEnds, until, type Ends } from '../ends.ts'

const HELLO = utf8('hello')
const { crypto } = nodePlatform

/** Whether the relay has the box of an id, seen by creating nothing: one may read it, or is told. */
async function hasBox(ends: Ends, streamId: Uint8Array): Promise<boolean> {
  const options = { transport: 'grpc', ca: ends.relay.ca, clock: systemClock } as const
  const relay = nodePlatform.relay(parseMailbox(ends.relay.mailbox), options)
  const found = await new Promise<boolean>((resolve) => {
    // Deleting tells as well, but a reader leaves things as they are; in use means that it is there.
    relay.receive(streamId, {
      opened() {},
      confirmed: () => resolve(true),
      message: () => resolve(true),
      end: ({ kind }) => resolve(kind === 'in-use'),
    })
  })
  await relay.close()
  return found
}

test('both boxes are there when listen resolves, and gone when it is closed', async (t) => {
  const ends = await setUpEnds(t)
  const listener = await listen(ends.listening())
  assert.equal(listener.state.name, 'listening')
  const ids = pairingStreamIds(parsePhrase(listener.phrase ?? ''), crypto)
  for (const id of [ids.serverToClient, ids.clientToServer]) assert.ok(await hasBox(ends, id))
  await Promise.all([listener.close(), listener.close()])
  assert.equal(listener.state.name, 'closed')
  for (const id of [ids.serverToClient, ids.clientToServer]) {
    assert.equal(await hasBox(ends, id), false)
  }
})

test('after the first pairing the phrase’s boxes go and the keys’ boxes are there', async (t) => {
  const ends = await setUpEnds(t)
  const store = memoryStore()
  const listener = ends.use(await listen(ends.listening({ store })))
  const { phrase = '' } = listener
  const old = pairingStreamIds(parsePhrase(phrase), crypto)
  const node = await connect(ends.connecting({ phrase }))
  // The client is ready once act three is out, the node once it has read it.
  await until(() => listener.state.name === 'serving')
  const { localKey, remoteKey } = listener.keys
  assert.deepEqual(remoteKey, crypto.publicKey(node.keys.localKey))
  const next = pairedStreamIds(localKey, remoteKey ?? new Uint8Array(), crypto)
  assert.ok(await hasBox(ends, old.serverToClient), 'the first connection stays where it is')
  assert.ok(await hasBox(ends, next.serverToClient), 'the next is awaited already')
  await node.close()
  await until(() => listener.state.name === 'listening')
  const start = performance.now()
  while (await hasBox(ends, old.serverToClient)) assert.ok(performance.now() - start < 5000)
  let kept = await store.load()
  while (kept?.phrase !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    kept = await store.load()
  }
  assert.equal(toHex(kept?.remoteKey ?? new Uint8Array()), toHex(remoteKey ?? new Uint8Array()))
})

test('a process that was killed after the pairing leaves boxes that the next one deletes', async (t) => {
  const ends = await setUpEnds(t)
  const store = memoryStore()
  const mortal = mortalPlatform()
  const first = ends.use(await listenOn(mortal.platform)(ends.listening({ store })))
  const { phrase = '' } = first
  const client = await connectOn(mortalPlatform().platform)(ends.connecting({ phrase }))
  await until(() => first.state.name === 'serving')
  mortal.die()
  await client.close()
  const old = pairingStreamIds(parsePhrase(phrase), crypto)
  assert.ok(await hasBox(ends, old.serverToClient))
  ends.relay.cut()
  ends.use(await listen(ends.listening({ store })))
  const start = performance.now()
  while (await hasBox(ends, old.serverToClient)) assert.ok(performance.now() - start < 5000)
})

test('several connections in turn, told apart by how they came', async (t) => {
  const ends = await setUpEnds(t)
  const peers: Peer[] = []
  const onConnection = async (link: Link, peer: Peer) => {
    peers.push(peer)
    while (await link.receive());
  }
  const listener = ends.use(await listen(ends.listening({ onConnection })))
  const store = memoryStore()
  const { phrase } = listener
  for (let round = 0; round < 3; round++) {
    const node = await connect(ends.connecting({ phrase, store }))
    await node.close()
  }
  await until(() => peers.length === 3)
  assert.deepEqual(
    peers.map(({ firstPairing, version }) => [firstPairing, version]),
    [
      [true, 2],
      [false, 2],
      [false, 2],
    ],
  )
  assert.equal(new Set(peers.map(({ remoteKey }) => toHex(remoteKey))).size, 1)
})

test('a connection that is refused by what serves it ends, and the next is served', async (t) => {
  const ends = await setUpEnds(t)
  let visits = 0
  const onConnection = async (link: Link) => {
    if (visits++ === 0) throw new Error('not today')
    while (await link.receive());
  }
  const listener = ends.use(await listen(ends.listening({ onConnection })))
  const node = ends.use(await connect(ends.connecting({ phrase: listener.phrase })))
  await until(() => visits >= 2)
  await until(() => node.state.name === 'ready')
})

test('a client that knocks with another phrase or garbage does no harm', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const { phrase = '' } = listener
  const ids = pairingStreamIds(parsePhrase(phrase), crypto)
  const options = { transport: 'grpc', ca: ends.relay.ca, clock: systemClock } as const
  const relay = nodePlatform.relay(parseMailbox(ends.relay.mailbox), options)
  const events = { opened() {}, confirmed() {}, message() {}, end() {} }
  const stream = relay.send(ids.clientToServer, events)
  // SYN, SYNACK, then DATA with a broken act; unknown packets; DATA of three bytes.
  for (const hex of ['0114', '06', '02000100000000000100', 'ff', '020001', '']) {
    await stream.write(Buffer.from(hex, 'hex'))
  }
  await stream.close()
  await relay.close()
  const node = ends.use(await connect(ends.connecting({ phrase })))
  assert.equal((await node.rpc.unary('/test.Echo/Unary', HELLO)).length, HELLO.length)
})

test('abort gives the start up, or closes what runs', async (t) => {
  const ends = await setUpEnds(t)
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  await assert.rejects(listen(ends.listening({ signal })), reason)
  const later = new AbortController()
  const listener = await listen(ends.listening({ signal: later.signal }))
  later.abort(reason)
  assert.equal(listener.state.name, 'closed')
  await listener.close()
  await ends.relay.kill()
  const during = new AbortController()
  const waiting = listen(ends.listening({ signal: during.signal, timeoutMs: Infinity }))
  setTimeout(() => during.abort(reason), 20)
  await assert.rejects(waiting, reason)
})

test('a relay that cannot be used ends the start with its code', async (t) => {
  const ends = await setUpEnds(t)
  const untrusting = ends.listening({ ca: undefined, timeoutMs: Infinity })
  await assert.rejects(listen(untrusting), { code: 'ERR_RELAY_CERTIFICATE' })
  await ends.relay.kill()
  await assert.rejects(listen(ends.listening({ timeoutMs: 200 })), {
    code: 'ERR_RELAY_UNREACHABLE',
  })
})

test('a server or a callback, not both, not neither', async (t) => {
  const ends = await setUpEnds(t)
  await assert.rejects(listen({ ...ends.listening(), server: undefined }), TypeError)
  const both = { ...ends.listening(), onConnection: async () => {} }
  await assert.rejects(listen(both), TypeError)
})

test('a process ends by itself once both ends are closed: nothing is left open', async () => {
  const script = `
    import { connect } from '${fileOf('mailbox/connect/node')}'
    import { listen } from '${fileOf('mailbox/listen/listen')}'
    import { setUpEnds } from '${fileOf('test/mailbox/ends')}'
    const ending = []
    const ends = await setUpEnds({ after: (end) => ending.push(end) })
    for (const transport of ['grpc', 'websocket']) {
      const listener = await listen(ends.listening({ transport }))
      const node = await connect(ends.connecting({ phrase: listener.phrase, transport }))
      await node.rpc.unary('/test.Echo/Unary', new Uint8Array(3))
      await node.close()
      await listener.close()
    }
    for (const end of ending) await end()
    console.log('ended')
  `
  const args = [...NODE_ARGS, '--input-type=module', '--eval', script]
  const run = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  assert.match(run.stdout, /ended/)
})
