/** Each way in which a connection cannot be made has its own code (docs/errors.md). */
import assert from 'node:assert/strict'
import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'node:test'

import { connectOn, type ConnectOptions } from '../../../mailbox/connect/connect.ts'
import { connect, nodePlatform } from '../../../mailbox/connect/node.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { listen } from '../../../mailbox/listen/listen.ts'
import { memoryStore } from '../../../mailbox/pairing/pairing.ts'
import { failure } from '../../../mailbox/transport/failure.ts'
import type { RelayClient, StreamEvents } from '../../../mailbox/transport/relay-client.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { isPinholeError } from '../../../src/base/errors.ts'
import { deadNode, fastForward, oldNode, setUpEnds, until, type Ends } from '../ends.ts'

const PHRASE = 'zoo '.repeat(10)

/** A rate for what happens at once: no faster than the machine, however busy. */
const REAL_TIME = 1

/** Connects in fast time; gives the code it fails with and how long that took on its clock. */
async function failing(options: ConnectOptions, clock = new ManualClock(), rate?: number) {
  const connecting = connect({ ...options, clock })
  const tookMs = await fastForward(clock, connecting, rate)
  const error = await connecting.then(
    () => assert.fail('it connected'),
    (reason: unknown) => reason,
  )
  assert.ok(isPinholeError(error), String(error))
  return { code: error.code, tookMs, message: error.message }
}

/** A node and a client that has paired with it and left. */
async function paired(ends: Ends, options: Partial<Parameters<Ends['listening']>[0]> = {}) {
  const listener = ends.use(await listen(ends.listening(options)))
  const store = memoryStore()
  const { phrase } = listener
  const first = await connect(ends.connecting({ phrase, store }))
  await first.close()
  return { listener, store, phrase }
}

test('a mistyped phrase is told before anything is sent', async (t) => {
  const ends = await setUpEnds(t)
  const typo = failing(ends.connecting({ phrase: 'zooo' + ' zoo'.repeat(9) }))
  assert.equal((await typo).code, 'ERR_PHRASE_UNKNOWN_WORD')
  const short = await failing(ends.connecting({ phrase: 'zoo zoo' }))
  assert.equal(short.code, 'ERR_PHRASE_WORD_COUNT')
  assert.equal(ends.relay.connections, 0)
})

for (const transport of ['websocket', 'grpc'] as const) {
  test(`${transport}: a phrase that nobody waits for is not found, after some seconds`, async (t) => {
    const ends = await setUpEnds(t)
    const { code, tookMs } = await failing(ends.connecting({ phrase: PHRASE, transport }))
    assert.equal(code, 'ERR_SESSION_NOT_FOUND')
    assert.ok(tookMs >= 3000 && tookMs < 6000, `${tookMs} ms`)
  })

  test(`${transport}: a phrase that another client has used is not found`, async (t) => {
    const ends = await setUpEnds(t)
    const { phrase } = await paired(ends)
    const { code } = await failing(ends.connecting({ phrase, transport }))
    assert.equal(code, 'ERR_SESSION_NOT_FOUND')
  })

  test(`${transport}: a session that another connection holds is in use`, async (t) => {
    const ends = await setUpEnds(t)
    const { store } = await paired(ends)
    const holder = ends.use(await connect(ends.connecting({ store })))
    const rival = memoryStore(await store.load())
    const { code } = await failing(
      ends.connecting({ store: rival, transport }),
      new ManualClock(),
      1,
    )
    assert.equal(code, 'ERR_SESSION_IN_USE')
    assert.equal(holder.state.name, 'ready')
    await holder.rpc.unary('/test.Echo/Unary', utf8('still here'))
  })

  test(`${transport}: a node that is gone without deleting its boxes is offline`, async (t) => {
    const ends = await setUpEnds(t)
    const { store } = await deadNode(ends)
    const { code, tookMs } = await failing(ends.connecting({ store, transport }))
    assert.equal(code, 'ERR_NODE_OFFLINE')
    assert.ok(tookMs >= 15_000 && tookMs < 16_000, `${tookMs} ms`)
  })

  test(`${transport}: a known session whose boxes were deleted is over`, async (t) => {
    const ends = await setUpEnds(t)
    const { listener, store } = await paired(ends)
    await listener.close()
    const options = ends.connecting({ store, transport, timeoutMs: 10_000 })
    const { code, message, tookMs } = await failing(options, new ManualClock(), 5)
    assert.equal(code, 'ERR_SESSION_EXPIRED')
    assert.match(message, /revoked|expired|down/)
    // The node may only be busy with the door of the phrase: until the caller's own limit.
    // Letting go of the relay takes real time, which counts five times here.
    assert.ok(tookMs >= 10_000 && tookMs < 14_000, `${tookMs} ms`)
  })

  test(`${transport}: a relay that is not there is unreachable`, async (t) => {
    const ends = await setUpEnds(t)
    await ends.relay.kill()
    const { code, tookMs } = await failing(ends.connecting({ phrase: PHRASE, transport }))
    assert.equal(code, 'ERR_RELAY_UNREACHABLE')
    assert.ok(tookMs < 8000)
  })

  test(`${transport}: a certificate that is not trusted is refused at once`, async (t) => {
    const { relay } = await setUpEnds(t)
    const options = { mailbox: relay.mailbox, phrase: PHRASE, transport }
    const { code, tookMs } = await failing(options, new ManualClock(), REAL_TIME)
    assert.equal(code, 'ERR_RELAY_CERTIFICATE')
    assert.ok(tookMs < 2500, `${tookMs} ms`)
  })

  test(`${transport}: insecureTls takes any certificate`, async (t) => {
    const ends = await setUpEnds(t)
    const listener = ends.use(await listen(ends.listening()))
    const { mailbox } = ends.relay
    const { phrase } = listener
    ends.use(await connect({ mailbox, phrase, transport, insecureTls: true }))
  })

  test(`${transport}: a web server that is no relay refuses`, async (t) => {
    const web = http.createServer((_, response) => response.writeHead(404).end()).listen(0)
    t.after(() => web.close())
    await once(web, 'listening')
    const mailbox = `http://localhost:${(web.address() as AddressInfo).port}`
    const { code } = await failing({ mailbox, phrase: PHRASE, transport })
    assert.equal(code, 'ERR_RELAY_REFUSED')
  })
}

test('the boxes of a known session may be missing for 20 seconds, of a phrase for 3', async () => {
  const refused = failure('not-found', 'no box')
  const none: RelayClient = {
    receive: (_, events) => refusing(events),
    send: (_, events) => ({ ...refusing(events), write: async () => {} }),
    createBox: async () => refused,
    deleteBox: async () => refused,
    close: async () => {},
  }
  const refusing = (events: StreamEvents) => {
    queueMicrotask(() => events.end(refused))
    return { close: async () => {} }
  }
  const connectTo = connectOn({ ...nodePlatform, relay: () => none })
  const localKey = new Uint8Array(32).fill(1)
  const keys = { localKey, remoteKey: nodeCrypto.publicKey(localKey) }
  for (const [options, ms] of [
    [{ keys }, 20_000],
    [{ phrase: PHRASE }, 3000],
  ] as const) {
    const clock = new ManualClock()
    const connecting = connectTo({ mailbox: 'localhost:1', timeoutMs: 60_000, clock, ...options })
    const tookMs = await fastForward(clock, connecting)
    const code = ms === 3000 ? 'ERR_SESSION_NOT_FOUND' : 'ERR_SESSION_EXPIRED'
    await assert.rejects(connecting, { code })
    assert.ok(tookMs >= ms && tookMs < ms + 1000, `${tookMs} ms`)
  }
})

test('a session past the end that its macaroon names is over, and says so at once', async (t) => {
  const ends = await setUpEnds(t)
  const clock = new ManualClock()
  const end = new Date(clock.wall() + 60_000).toISOString()
  const { listener, store } = await paired(ends, { authData: `Macaroon: ${macaroonUntil(end)}` })
  assert.equal((await store.load())?.expiresAtMs, Date.parse(end))
  await listener.close()
  clock.advance(120_000)
  const { code, tookMs } = await failing(ends.connecting({ store }), clock, REAL_TIME)
  assert.equal(code, 'ERR_SESSION_EXPIRED')
  assert.ok(tookMs < 1000, `${tookMs} ms`)
})

test('a running session ends for good when its macaroon has ended and the node is gone', async (t) => {
  const ends = await setUpEnds(t)
  const authData = `Macaroon: ${macaroonUntil(new Date(Date.now() - 1000).toISOString())}`
  const listener = ends.use(await listen(ends.listening({ authData })))
  const node = ends.use(await connect(ends.connecting({ phrase: listener.phrase })))
  assert.equal(node.expiresAt !== undefined && node.expiresAt < new Date(), true)
  await listener.close()
  await until(() => node.state.name === 'closed')
  await assert.rejects(node.rpc.unary('/test.Echo/Unary', utf8('x')), {
    code: 'ERR_SESSION_EXPIRED',
  })
})

test('a handshake version that the client does not accept is refused at once', async (t) => {
  const ends = await setUpEnds(t)
  const { phrase } = await oldNode(ends)
  const { code } = await failing(ends.connecting({ phrase }))
  assert.equal(code, 'ERR_NOISE_VERSION')
})

test('a caller may allow an older version, which pairs anew each time', async (t) => {
  const ends = await setUpEnds(t)
  const { phrase } = await oldNode(ends)
  const store = memoryStore()
  for (let round = 0; round < 2; round++) {
    const node = await connect(ends.connecting({ phrase, store, minVersion: 0 }))
    assert.equal(node.state.name, 'ready')
    await node.close()
  }
  assert.equal((await store.load())?.remoteKey, undefined)
})

test('a call that the macaroon does not allow lacks a permission', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const node = ends.use(await connect(ends.connecting({ phrase: listener.phrase })))
  await assert.rejects(node.rpc.unary('/test.Echo/Fail', utf8('2|permission denied')), {
    code: 'ERR_NODE_PERMISSION',
  })
})

test('a store that does not keep is told, and nothing is paired', async (t) => {
  const ends = await setUpEnds(t)
  const listener = ends.use(await listen(ends.listening()))
  const { phrase } = listener
  const broken = { load: async () => undefined, save: () => Promise.reject(new Error('disk full')) }
  assert.equal(
    (await failing(ends.connecting({ phrase, store: broken }))).code,
    'ERR_SESSION_STORE',
  )
  let saves = 0
  const full = {
    load: async () => undefined,
    save: () => (saves++ > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve()),
  }
  assert.equal((await failing(ends.connecting({ phrase, store: full }))).code, 'ERR_SESSION_STORE')
  // The phrase still works: the node has kept no key.
  ends.use(await connect(ends.connecting({ phrase })))
})

/** A macaroon (version 2) with one caveat. */
function macaroonUntil(time: string): string {
  const caveat = Buffer.from(`time-before ${time}`)
  const field = (type: number, bytes: Buffer) => [type, bytes.length, ...bytes]
  const sealed = [...field(2, caveat), 0, 0, ...field(6, Buffer.alloc(32))]
  return Buffer.from([
    2,
    ...field(1, Buffer.from('lnd')),
    ...field(2, Buffer.from('id')),
    0,
    ...sealed,
  ]).toString('hex')
}
