import assert from 'node:assert/strict'
import test from 'node:test'

import fc from '../../fast-check.ts'
import { ManualClock, systemClock } from '../../../src/base/clock.ts'
import { concat, toHex, utf8 } from '../../../src/base/bytes.ts'
import { isPinholeError, PinholeError } from '../../../src/base/errors.ts'
import { browserCrypto } from '../../../mailbox/crypto/browser.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import type { Link } from '../../../mailbox/link.ts'
import { initiate, readAct, respond, writeAct } from '../../../mailbox/noise/handshake.ts'
import type { HandshakeOptions } from '../../../mailbox/noise/handshake.ts'
import { HandshakeState } from '../../../mailbox/noise/handshake-state.ts'
import { KK, XX } from '../../../mailbox/noise/patterns.ts'
import type { Pattern, Role } from '../../../mailbox/noise/patterns.ts'
import { negotiate } from '../../../mailbox/noise/version.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { noted } from './recorded.ts'

const clientKey = new Uint8Array(32).fill(0x11)
const serverKey = new Uint8Array(32).fill(0x22)
const stretched = new Uint8Array(32).fill(0x33)
const clientPublic = nodeCrypto.publicKey(clientKey)
const serverPublic = nodeCrypto.publicKey(serverKey)

const shared = { crypto: nodeCrypto, clock: systemClock }
const xxClient: HandshakeOptions = { ...shared, static: clientKey, stretched }
const xxServer: HandshakeOptions = { ...shared, static: serverKey, stretched, authData: utf8('a') }
const kkClient: HandshakeOptions = { ...shared, static: clientKey, remoteStatic: serverPublic }
const kkServer: HandshakeOptions = { ...shared, static: serverKey, remoteStatic: clientPublic }

const coded = (code: PinholeError['code']) => (reason: unknown) => isPinholeError(reason, code)

test('a known remote key means KK, even when there is a phrase too', async () => {
  const [a, b] = memoryLinkPair()
  const [client, server] = await Promise.all([
    initiate(a, { ...xxClient, ...kkClient }),
    respond(b, { ...xxServer, ...kkServer }),
  ])
  assert.deepEqual(server.remoteStatic, clientPublic)
  assert.deepEqual(client.authData, utf8('a'))
})

test('node and browser cryptography shake hands', async () => {
  for (const [client, server] of [
    [xxClient, xxServer],
    [kkClient, kkServer],
  ] as const) {
    const [a, b] = memoryLinkPair()
    const [one, two] = await Promise.all([
      initiate(a, { ...client, crypto: browserCrypto }),
      respond(b, server),
    ])
    await one.link.send(utf8('hello'))
    assert.deepEqual(await two.link.receive(), utf8('hello'))
    await two.link.send(utf8('and back'))
    assert.deepEqual(await one.link.receive(), utf8('and back'))
  }
})

test('every handshake draws new ephemeral keys and leaves the caller its own', async () => {
  const acts = await Promise.all(
    [1, 2].map(async () => {
      const [a, b] = memoryLinkPair()
      const link = noted(a)
      await Promise.all([initiate(link, xxClient), respond(b, xxServer)])
      return link.sent[0]
    }),
  )
  assert.notEqual(acts[0], acts[1])
  assert.equal(toHex(clientKey), '11'.repeat(32))
  assert.equal(toHex(stretched), '33'.repeat(32))
})

test('keys given as Buffers are copied too, not wiped with the handshake', async () => {
  const own = Buffer.from(clientKey)
  const words = Buffer.from(stretched)
  const [a, b] = memoryLinkPair()
  const [client] = await Promise.all([
    initiate(a, { ...xxClient, static: own, stretched: words }),
    respond(b, xxServer),
  ])
  await client.link.close()
  assert.equal(own.toString('hex'), '11'.repeat(32))
  assert.equal(words.toString('hex'), '33'.repeat(32))
})

test('the initiator keeps the remote key before act three is out, then takes the auth data', async () => {
  const [a, b] = memoryLinkPair()
  const events: string[] = []
  const link: Link = { ...noted(a), send: (m) => (events.push(`act ${m.length}`), a.send(m)) }
  await Promise.all([
    initiate(link, {
      ...xxClient,
      onRemoteStatic: async (key) => void events.push(`remote ${toHex(key)}`),
      onAuthData: (data) => void events.push(`auth ${toHex(data)}`),
    }),
    respond(b, {
      ...xxServer,
      onAuthData: () => assert.fail('the responder is not told its own auth data'),
    }),
  ])
  assert.deepEqual(events, ['act 50', `remote ${toHex(serverPublic)}`, 'act 66', 'auth 61'])
})

test('the responder keeps the remote key when it has read act three, and both keep it in KK', async () => {
  for (const [client, server, acts] of [
    [xxClient, xxServer, 2],
    [kkClient, kkServer, 1],
  ] as const) {
    const [a, b] = memoryLinkPair()
    const kept: string[] = []
    let read = 0
    const link: Link = { ...noted(b), receive: () => (read++, b.receive()) }
    await Promise.all([
      initiate(a, { ...client, onRemoteStatic: (key) => void kept.push(toHex(key)) }),
      respond(link, {
        ...server,
        onRemoteStatic: (key) => {
          assert.equal(read, acts)
          kept.push(toHex(key))
        },
      }),
    ])
    assert.deepEqual(kept.sort(), [toHex(clientPublic), toHex(serverPublic)].sort())
  }
})

test('a key that cannot be kept fails the handshake before the peer retires the phrase', async () => {
  const full = new PinholeError('ERR_SESSION_STORE', 'disk full')
  const [a, b] = memoryLinkPair()
  const onRemoteStatic = () => assert.fail('the phrase is retired')
  const server = respond(b, { ...xxServer, onRemoteStatic })
  const client = initiate(a, { ...xxClient, onRemoteStatic: () => Promise.reject(full) })
  await Promise.all([
    assert.rejects(client, full),
    assert.rejects(server, coded('ERR_LINK_CLOSED')),
  ])
})

test('auth data that is turned down fails the handshake and closes the link', async () => {
  const unusable = new PinholeError('ERR_NOISE_AUTH_DATA', 'no macaroon')
  for (const [client, server] of [
    [xxClient, xxServer],
    [kkClient, kkServer],
  ] as const) {
    const [a, b] = memoryLinkPair()
    const served = respond(b, server)
    const onAuthData = () => {
      throw unusable
    }
    await assert.rejects(initiate(a, { ...client, onAuthData }), unusable)
    assert.equal(await (await served).link.receive(), undefined)
  }
})

test('a responder that cannot keep the key closes the link', async () => {
  const full = new PinholeError('ERR_SESSION_STORE', 'disk full')
  const [a, b] = memoryLinkPair()
  const client = initiate(a, xxClient)
  const server = respond(b, { ...xxServer, onRemoteStatic: () => Promise.reject(full) })
  await assert.rejects(server, full)
  assert.equal(await (await client).link.receive(), undefined)
})

test('other phrases: the responder notices at the tag of act one', async () => {
  const [a, b] = memoryLinkPair()
  const client = initiate(a, xxClient)
  await assert.rejects(
    respond(b, { ...xxServer, stretched: clientKey }),
    coded('ERR_NOISE_DECRYPT'),
  )
  await assert.rejects(client, coded('ERR_LINK_CLOSED'))
})

test('another static key than the paired one is noticed by the responder', async () => {
  const [a, b] = memoryLinkPair()
  const client = initiate(a, { ...kkClient, static: stretched })
  await assert.rejects(respond(b, kkServer), coded('ERR_NOISE_DECRYPT'))
  await assert.rejects(client, coded('ERR_LINK_CLOSED'))
})

test('each act has its own time limit', async () => {
  for (const role of ['initiator', 'responder'] as const) {
    const clock = new ManualClock()
    const [a] = memoryLinkPair()
    const run = role === 'initiator' ? initiate : respond
    const waiting = run(a, { ...(role === 'initiator' ? xxClient : xxServer), clock })
    await new Promise(setImmediate)
    clock.advance(4999)
    const state = await Promise.race([waiting.catch(() => 'failed'), Promise.resolve('waiting')])
    assert.equal(state, 'waiting')
    clock.advance(1)
    await assert.rejects(waiting, coded('ERR_NOISE_TIMEOUT'))
    assert.equal(await a.receive(), undefined, 'the link is closed')
    assert.equal(clock.next(), undefined)
  }
})

test('the time limit starts anew with act three, and a finished handshake leaves no timer', async () => {
  const clock = new ManualClock()
  const [a, b] = memoryLinkPair()
  const slow: Link = {
    ...noted(a),
    send: async (message) => {
      clock.advance(700)
      await a.send(message)
    },
  }
  const [, server] = await Promise.all([
    initiate(slow, { ...xxClient, clock, timeoutMs: 1000 }),
    respond(b, { ...xxServer, clock, timeoutMs: 1000 }),
  ])
  assert.equal(server.version, 2)
  assert.equal(clock.next(), undefined)
})

test('a link that closes or breaks ends the handshake', async () => {
  const [a, b] = memoryLinkPair()
  const client = initiate(a, xxClient)
  await b.close()
  await assert.rejects(client, coded('ERR_LINK_CLOSED'))
  const [, c] = memoryLinkPair()
  const silent = new PinholeError('ERR_GBN_SILENT', 'the peer is gone')
  const broken = { ...noted(c), receive: () => Promise.reject(silent) }
  await assert.rejects(respond(broken, xxServer), silent)
})

test('keys that are none are told before anything is sent', async () => {
  const wrong: [Partial<HandshakeOptions>, Parameters<typeof assert.rejects>[1]][] = [
    [{ static: new Uint8Array(32) }, coded('ERR_SESSION_KEYS')],
    [{ remoteStatic: new Uint8Array(33) }, coded('ERR_SESSION_KEYS')],
    [{ stretched: undefined }, TypeError],
    [{ stretched: new Uint8Array(31) }, TypeError],
  ]
  for (const [options, expected] of wrong) {
    const [a] = memoryLinkPair()
    const link = noted(a)
    await assert.rejects(initiate(link, { ...xxClient, ...options }), expected)
    assert.deepEqual(link.sent, [])
    assert.equal(await a.receive(), undefined, 'the link is closed')
  }
})

/** The state of `role` after the acts before `number`, and the bytes of that act by an honest peer. */
function before(pattern: Pattern, number: number) {
  const state = (role: Role) =>
    new HandshakeState(nodeCrypto, pattern, role, {
      s: role === 'initiator' ? clientKey : serverKey,
      rs: pattern === KK ? (role === 'initiator' ? serverPublic : clientPublic) : undefined,
      pw: stretched,
    })
  const ends = { initiator: state('initiator'), responder: state('responder') }
  for (const act of pattern.acts) {
    const reader: Role = act.from === 'initiator' ? 'responder' : 'initiator'
    const honest = writeAct(ends[act.from], act, 2, utf8('Macaroon: 0201'))
    const negotiation = negotiate(reader, pattern, { minVersion: 0 })
    const read = (message: Uint8Array) => readAct(ends[reader], act, negotiation, message)
    if (act.number === number) return { honest, read }
    read(honest)
  }
  throw new TypeError('no such act')
}

const places = [
  [XX, 1],
  [XX, 2],
  [XX, 3],
  [KK, 1],
  [KK, 2],
] as const

test('an act that is cut, lengthened or changed anywhere is a coded error', () => {
  for (const [pattern, number] of places) {
    const { honest } = before(pattern, number)
    for (let at = 0; at < honest.length; at += 3) {
      const { honest: act, read } = before(pattern, number)
      const changed = act.slice()
      changed[at] = (changed[at] ?? 0) ^ 0x80
      assert.throws(() => read(changed), isPinholeError, `act ${number}, byte ${at}`)
    }
    for (const cut of [0, 1, 20, 33, 34, 49, honest.length - 17, honest.length - 1]) {
      const { honest: act, read } = before(pattern, number)
      assert.throws(() => read(act.subarray(0, cut)), isPinholeError)
    }
    const { honest: act, read } = before(pattern, number)
    assert.throws(() => read(concat(act, new Uint8Array(1))), coded('ERR_NOISE_ACT'))
  }
})

test('any bytes in place of an act are a coded error', () => {
  for (const [pattern, number] of places) {
    const start = before(pattern, number)
    const point = fc.constantFrom(clientPublic, serverPublic)
    const shaped = fc
      .tuple(fc.constantFrom(0, 1, 2, 3), point, fc.uint8Array({ maxLength: 700 }))
      .map(([version, key, rest]) => concat(Uint8Array.of(version), key, rest))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 700 }), shaped), (message) => {
        assert.throws(() => start.read(message), isPinholeError)
      }),
      { numRuns: 10_000 / places.length },
    )
  }
})
