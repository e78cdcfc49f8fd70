/** Both ways to a relay, over a real one and over lines that fail in their own ways. */
import assert from 'node:assert/strict'
import net, { type AddressInfo, type Socket } from 'node:net'
import test from 'node:test'
import tls from 'node:tls'

import { nodePlatform } from '../../../mailbox/connect/node.ts'
import type { TransportName } from '../../../mailbox/connect/platform.ts'
import { parseMailbox } from '../../../mailbox/transport/address.ts'
import type { RelayFailure } from '../../../mailbox/transport/failure.ts'
import type { RelayClient, StreamEvents } from '../../../mailbox/transport/relay-client.ts'
import { ManualClock, systemClock, type Clock } from '../../../src/base/clock.ts'
import { until } from '../ends.ts'
import { testCertificate, testRelay, type TestRelay } from '../test-relay.ts'
import { moment } from '../../moment.ts'

type Test = { after(fn: () => Promise<void>): void }

async function relayFor(t: Test): Promise<TestRelay> {
  const relay = await testRelay()
  t.after(() => relay.kill())
  return relay
}

function client(
  t: Test,
  mailbox: string,
  transport: TransportName,
  clock: Clock = systemClock,
): RelayClient {
  const made = nodePlatform.relay(parseMailbox(mailbox), { transport, insecureTls: true, clock })
  t.after(() => made.close())
  return made
}

/** Records what a stream tells. */
function recorder() {
  const messages: Uint8Array[] = []
  const seen: { opened: boolean; failure: RelayFailure | undefined } = {
    opened: false,
    failure: undefined,
  }
  const events: StreamEvents = {
    opened: () => (seen.opened = true),
    confirmed() {},
    message: (bytes) => messages.push(bytes.slice()),
    end: (failure) => (seen.failure = failure),
  }
  return { events, messages, seen, kind: () => seen.failure?.kind }
}

const ID = Uint8Array.from({ length: 64 }, (_, at) => at)

for (const transport of ['websocket', 'grpc'] as const) {
  test(`${transport}: boxes are created twice, used and deleted twice`, async (t) => {
    const relay = client(t, (await relayFor(t)).mailbox, transport)
    assert.equal(await relay.createBox(ID), undefined)
    assert.equal(await relay.createBox(ID), undefined, 'one that is there is fine')
    const reader = recorder()
    relay.receive(ID, reader.events)
    const writer = recorder()
    const stream = relay.send(ID, writer.events)
    await until(() => writer.seen.opened && reader.seen.opened)
    // Sizes around those that have their own encodings, or that other relays lose.
    const sizes = [1, 2, 125, 126, 253, 4093, 8189, 32_811, 65_535, 65_560]
    for (const size of sizes) await stream.write(new Uint8Array(size).fill(size % 251))
    await until(() => reader.messages.length === sizes.length)
    assert.deepEqual(
      reader.messages.map((message) => [message.length, message.at(-1)]),
      sizes.map((size) => [size, size % 251]),
    )
    assert.equal(await relay.deleteBox(ID), undefined)
    assert.equal(await relay.deleteBox(ID), undefined, 'one that is gone is fine')
    await until(() => reader.seen.failure !== undefined)
    assert.equal(reader.seen.failure?.kind, 'ended')
  })

  test(`${transport}: what was written before close arrives`, async (t) => {
    const relay = client(t, (await relayFor(t)).mailbox, transport)
    await relay.createBox(ID)
    const reader = recorder()
    relay.receive(ID, reader.events)
    for (let round = 0; round < 20; round++) {
      const writer = recorder()
      const stream = relay.send(ID, writer.events)
      await until(() => writer.seen.opened)
      await stream.write(Uint8Array.of(round))
      await stream.close()
      await until(() => reader.messages.length === round + 1, 2000)
    }
  })

  test(`${transport}: a missing box and a second reader are told apart`, async (t) => {
    const relay = client(t, (await relayFor(t)).mailbox, transport)
    const missing = recorder()
    relay.receive(ID, missing.events)
    await until(() => missing.seen.failure !== undefined)
    assert.equal(missing.seen.failure?.kind, 'not-found')
    await relay.createBox(ID)
    const first = recorder()
    relay.receive(ID, first.events)
    await until(() => first.seen.opened)
    const second = recorder()
    relay.receive(ID, second.events)
    await until(() => second.seen.failure !== undefined)
    assert.equal(second.seen.failure?.kind, 'in-use')
    assert.equal(first.seen.failure, undefined)
  })

  test(`${transport}: a line that died without a word is noticed by a ping`, async (t) => {
    const line = await holedLine(t, await relayFor(t))
    const clock = new ManualClock()
    const relay = client(t, line.mailbox, transport, clock)
    await relay.createBox(ID)
    const reader = recorder()
    relay.receive(ID, reader.events)
    await until(() => reader.seen.opened)
    // A line that lives stays, however long nothing comes.
    for (let minute = 0; minute < 5; minute++) {
      for (let part = 0; part < 6; part++) {
        clock.advance(10_000)
        await moment()
      }
    }
    assert.equal(reader.kind(), undefined)
    line.swallow()
    for (let part = 0; part < 12 && !reader.kind(); part++) {
      clock.advance(10_000)
      await moment()
    }
    assert.equal(reader.kind(), 'ended')
  })

  test(`${transport}: a busy line that is cut while a write waits ends at once`, async (t) => {
    const line = await holedLine(t, await relayFor(t))
    const relay = client(t, line.mailbox, transport)
    await relay.createBox(ID)
    const [reader, writer] = [recorder(), recorder()]
    relay.receive(ID, reader.events)
    const stream = relay.send(ID, writer.events)
    await until(() => reader.seen.opened && writer.seen.opened)
    line.stopReading()
    for (let sent = 0; sent < 400; sent++) void stream.write(new Uint8Array(60_000))
    await moment()
    line.reset()
    await until(() => reader.kind() === 'ended' && writer.kind() === 'ended', 2000)
    const start = performance.now()
    await relay.close()
    assert.ok(performance.now() - start < 1000)
  })

  test(`${transport}: a host that accepts and says nothing is unreachable`, async (t) => {
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    t.after(async () => void silent.close())
    const { port } = silent.address() as AddressInfo
    const clock = new ManualClock()
    const relay = client(t, `127.0.0.1:${port}`, transport, clock)
    const reader = recorder()
    relay.receive(ID, reader.events)
    if (transport === 'grpc') {
      clock.advance(8100)
      await until(() => reader.seen.failure !== undefined)
      assert.equal(reader.seen.failure?.kind, 'unreachable')
    }
    await relay.close()
  })
}

test('gRPC does without ALPN', async (t) => {
  const plain = await testRelay('http2')
  t.after(() => plain.kill())
  const { port } = new URL(plain.mailbox)
  const server = tls.createServer(testCertificate, (socket) => {
    const inner = net.connect(Number(port), '127.0.0.1')
    socket.pipe(inner).pipe(socket)
    socket.on('error', () => inner.destroy())
    inner.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => void server.close())
  const relay = client(t, `127.0.0.1:${(server.address() as AddressInfo).port}`, 'grpc')
  assert.equal(await relay.createBox(ID), undefined)
})

/** A TCP line to the relay that can begin to swallow everything, as a cut cable does. */
async function holedLine(t: Test, relay: TestRelay) {
  const target = Number(relay.mailbox.split(':')[1])
  const sockets: Socket[] = []
  let holed = false
  const server = net.createServer((outer) => {
    const inner = net.connect(target, '127.0.0.1')
    sockets.push(outer, inner)
    outer.on('data', (chunk) => holed || inner.write(chunk))
    inner.on('data', (chunk) => holed || outer.write(chunk))
    for (const socket of [outer, inner]) socket.on('error', () => {})
    outer.on('close', () => holed || inner.destroy())
    inner.on('close', () => holed || outer.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    mailbox: `127.0.0.1:${port}`,
    swallow: () => (holed = true),
    stopReading: () => sockets.forEach((socket) => socket.pause()),
    reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
  }
}
