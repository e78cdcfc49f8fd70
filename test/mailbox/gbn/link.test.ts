import assert from 'node:assert/strict'
import test from 'node:test'
import { connectGbn } from '../../../mailbox/gbn/link.ts'
import { listenGbn } from '../../../mailbox/gbn/listen.ts'
import { encodePacket } from '../../../mailbox/gbn/packet.ts'
import { MAX_MESSAGE_BYTES } from '../../../mailbox/gbn/receive-window.ts'
import { FIRST_PACKETS } from '../../../mailbox/gbn/round-trip.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { PinholeError } from '../../../src/base/errors.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { bytes, memoryLoss, pair, pass, settled, Wire } from './wire.ts'

const fin = encodePacket({ type: 'fin' })
const never = () => new Promise<void>(() => {})
const lost = async () => {
  throw new PinholeError('ERR_RELAY_UNREACHABLE', 'the relay is gone')
}

test('messages go both ways, in order, and a FIN ends both ends', async () => {
  const { client, server, listener, near, far } = await pair()
  for (let i = 0; i < 100; i++) {
    await client.send(bytes(i))
    assert.deepEqual(await server.receive(), bytes(i))
    await server.send(bytes(i, i))
    assert.deepEqual(await client.receive(), bytes(i, i))
  }
  await client.close()
  await client.close()
  assert.equal(await server.closed, undefined)
  assert.equal(await client.closed, undefined)
  assert.equal(await server.receive(), undefined)
  assert.equal(await client.receive(), undefined)
  assert.equal(near.sent.filter((packet) => packet[0] === 5).length, 1)
  assert.equal(near.closed, 1)
  await assert.rejects(client.send(bytes(1)), { code: 'ERR_LINK_CLOSED' })
  await listener.close()
  assert.equal(far.closed, 1)
})

test('send waits for a place in the window, receive for a message', async () => {
  const { client, server, listener } = await pair()
  const sent: number[] = []
  const sends = Array.from({ length: 100 }, async (_, i) => {
    await client.send(bytes(i))
    sent.push(i)
  })
  await settled()
  // 20 wait read and acknowledged at the server, 20 more held, 20 more wait at the client.
  assert.equal(sent.length, 40)
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(await server.receive(), bytes(i))
    await settled()
  }
  await Promise.all(sends)
  assert.equal(sent.length, 100)
  const waiting = server.receive()
  await client.send(bytes(7))
  assert.deepEqual(await waiting, bytes(7))
  await listener.close()
})

test('close lets what was sent before arrive, though it was lost at first', async () => {
  const { clock, client, server, listener, near } = await pair()
  let drop = 3
  const lower = memoryLoss(near, () => drop-- > 0)
  const sends = Array.from({ length: 30 }, (_, i) => client.send(bytes(i)))
  const closing = client.close()
  await pass(clock, 1000)
  await Promise.all(sends)
  await closing
  for (let i = 0; i < 30; i++) assert.deepEqual(await server.receive(), bytes(i))
  assert.equal(await server.receive(), undefined)
  assert.ok(lower.lost > 0)
  await listener.close()
})

test('close takes a second at most when the peer is silent and the link below stuck', async () => {
  const { clock, client, near } = await pair()
  near.onSend = never
  await client.send(bytes(1))
  const receiving = client.receive()
  const closing = client.close()
  await assert.rejects(client.send(bytes(2)), { code: 'ERR_LINK_CLOSED' })
  assert.equal(await receiving, undefined)
  assert.equal(await client.receive(), undefined)
  await pass(clock, 1100)
  await closing
  assert.deepEqual(near.sent.at(-1), fin)
  assert.equal(await client.closed, undefined)
})

test('what is delivered during close is let go, and the peer may end it first', async () => {
  const { clock, client, server, listener, near } = await pair()
  await server.send(bytes(1))
  await settled()
  near.onSend = async (packet) => (packet[0] === 2 ? never() : undefined)
  await client.send(bytes(1))
  const closing = client.close()
  await server.send(bytes(2))
  await settled()
  await listener.close()
  await pass(clock, 1100)
  await closing
  assert.equal(near.sent.filter((packet) => packet[0] === 5).length, 0)
})

test('a message in flight is resent after a loss, all of it at once when woken', async () => {
  const { clock, client, server, listener, near } = await pair()
  let down = true
  const { lost } = memoryLoss(near, () => down)
  assert.equal(lost, 0)
  await client.send(bytes(1))
  await client.send(bytes(2))
  await settled()
  down = false
  client.lowerChanged(true)
  assert.deepEqual(await server.receive(), bytes(1))
  assert.deepEqual(await server.receive(), bytes(2))
  down = true
  await client.send(bytes(3))
  down = false
  await pass(clock, 400)
  assert.deepEqual(await server.receive(), bytes(3))
  listener.lowerChanged(true)
  await settled()
  await listener.close()
  client.lowerChanged(true)
})

test('a client that nobody answers, or that is told to stop, lets go of the link', async () => {
  const clock = new ManualClock()
  const [a] = memoryLinkPair()
  const silent = new Wire(a)
  const failed = assert.rejects(connectGbn(silent, { clock, handshakeTimeoutMs: 5000 }), {
    code: 'ERR_GBN_HANDSHAKE',
  })
  await pass(clock, 5100)
  await failed
  assert.deepEqual([silent.sent.length, silent.closed], [5, 1])

  const reason = new Error('enough')
  const abort = new AbortController()
  for (const signal of [abort.signal, AbortSignal.abort(reason)]) {
    const wire = new Wire(memoryLinkPair()[0])
    const connecting = connectGbn(wire, { clock, signal })
    abort.abort(reason)
    await assert.rejects(connecting, reason)
    await settled()
    assert.equal(wire.closed, 1)
  }
})

test('the SYN goes out anew when the link below comes up', async () => {
  const clock = new ManualClock()
  const [a, b] = memoryLinkPair()
  const [near, far] = [new Wire(a), new Wire(b)]
  let down = true
  memoryLoss(near, () => down)
  let subscribed = 0
  type Changed = (isUp: boolean) => void
  let [clientChanged, serverChanged]: [Changed, Changed] = [() => {}, () => {}]
  const onLower = (keep: (changed: Changed) => void) => (changed: Changed) => {
    subscribed++
    keep(changed)
    return () => void subscribed--
  }
  const listener = listenGbn(far, { clock, onLower: onLower((it) => (serverChanged = it)) })
  const connecting = connectGbn(near, { clock, onLower: onLower((it) => (clientChanged = it)) })
  await settled()
  down = false
  clientChanged(true)
  const client = await connecting
  serverChanged(true)
  const server = await listener.accept()
  await client.close()
  assert.equal(await server.closed, undefined)
  await listener.close()
  await settled()
  assert.equal(subscribed, 0)
})

test('a link below that ends or breaks ends the connection with a coded error', async () => {
  const ended = await pair()
  const waiting = ended.client.receive()
  await ended.near.close()
  await assert.rejects(waiting, { code: 'ERR_LINK_CLOSED' })
  await assert.rejects(ended.server.receive(), { code: 'ERR_LINK_CLOSED' })
  await assert.rejects(ended.listener.accept(), { code: 'ERR_LINK_CLOSED' })

  const broken = await pair()
  broken.near.onSend = lost
  await broken.client.send(bytes(1))
  assert.equal((await broken.client.closed)?.code, 'ERR_RELAY_UNREACHABLE')
  await broken.client.close()
  await assert.rejects(broken.client.send(bytes(1)), { code: 'ERR_RELAY_UNREACHABLE' })
  await broken.listener.close()

  const clock = new ManualClock()
  const wire = new Wire(memoryLinkPair()[0])
  wire.receive = async () => {
    throw new Error('socket hang up')
  }
  await assert.rejects(connectGbn(wire, { clock }), { code: 'ERR_LINK_CLOSED' })
})

test('senders that wait fail with the connection', async () => {
  const { client, near, listener } = await pair()
  near.onSend = never
  const sends = Array.from({ length: 30 }, (_, i) => client.send(bytes(i)))
  await listener.close()
  const results = await Promise.allSettled(sends)
  const waited = results.filter(({ status }) => status === 'rejected')
  assert.equal(waited.length, 30 - FIRST_PACKETS)
  await client.close()
})

test('a silent peer ends the connection with ERR_GBN_SILENT; a broken one at once', async () => {
  const silent = await pair()
  memoryLoss(silent.far, () => true)
  await pass(silent.clock, 10_100)
  assert.equal((await silent.client.closed)?.code, 'ERR_GBN_SILENT')
  await silent.listener.close()

  const broken = await pair()
  await broken.far.send(bytes(2, 0, 1))
  await assert.rejects(broken.client.receive(), { code: 'ERR_GBN_PACKET' })
  await broken.listener.close()
})

test('an idle connection stays up by pings', async () => {
  const { clock, client, server, listener } = await pair()
  await pass(clock, 60_000)
  await client.send(bytes(1))
  assert.deepEqual(await server.receive(), bytes(1))
  await listener.close()
})

test('a message over the limit is refused before it is copied', async () => {
  const { client, listener } = await pair()
  const message = new Uint8Array(MAX_MESSAGE_BYTES + 1)
  await assert.rejects(client.send(message), { code: 'ERR_LINK_MESSAGE_SIZE' })
  await listener.close()
})

test('a link below that refuses to close does no harm', async () => {
  const { client, server, near, far, listener } = await pair()
  near.close = far.close = () => Promise.reject(new Error('no'))
  await far.send(bytes(9, 9))
  assert.equal((await client.closed)?.code, 'ERR_GBN_PACKET')
  assert.equal(await server.closed, undefined)
  await listener.close()
  await settled()
})
