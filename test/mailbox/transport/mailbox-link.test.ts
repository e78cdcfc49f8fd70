import assert from 'node:assert/strict'
import test from 'node:test'

import { failure, type RelayFailure } from '../../../mailbox/transport/failure.ts'
import { openMailbox, type MailboxStatus } from '../../../mailbox/transport/mailbox-link.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { FakeRelay } from './fake-relay.ts'

const SEND = Uint8Array.of(1)
const RECEIVE = Uint8Array.of(2)
const MESSAGE = Uint8Array.of(7, 8)

function setUp(options: { owner?: boolean; creation?: RelayFailure } = {}) {
  const relay = new FakeRelay()
  relay.creation = options.creation
  const clock = new ManualClock()
  const owner = options.owner ?? false
  const ids = { sendId: SEND, receiveId: RECEIVE }
  const link = openMailbox(relay, ids, { owner, clock, random: () => 0.5 })
  const seen: string[] = []
  link.onStatus((status) => seen.push(name(status)))
  return { relay, clock, link, seen }
}

const name = (status: MailboxStatus) =>
  status.name === 'failing' ? status.failure.kind : status.name

/** Lets promises that are settled run on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

async function open(relay: FakeRelay) {
  await settle()
  relay.last('receive').events.opened()
  relay.last('send').events.opened()
}

test('both sides open at once and messages pass', async () => {
  const { relay, link, seen } = setUp()
  await open(relay)
  assert.deepEqual([relay.last('receive').id, relay.last('send').id], ['02', '01'])
  assert.deepEqual(seen, ['open'])
  await link.send(MESSAGE)
  assert.deepEqual(relay.last('send').written, [MESSAGE])
  const waiting = link.receive()
  relay.last('receive').events.message(MESSAGE)
  relay.last('receive').events.message(SEND)
  assert.deepEqual(await waiting, MESSAGE)
  assert.deepEqual(await link.receive(), SEND)
})

test('the owner creates each box before it uses it, and again after a loss', async () => {
  const { relay, clock } = setUp({ owner: true })
  await open(relay)
  assert.deepEqual(relay.log.slice().sort(), ['create 01', 'create 02', 'receive 02', 'send 01'])
  relay.last('receive').events.end(failure('ended', 'EOF'))
  clock.advance(200)
  await settle()
  assert.deepEqual(relay.log.slice(4), ['create 02', 'receive 02'])
})

test('a box that cannot be created is a failure, and is tried again', async () => {
  const { relay, clock, link } = setUp({
    owner: true,
    creation: failure('refused', 'no more boxes'),
  })
  await settle()
  assert.equal(name(link.status), 'refused')
  relay.creation = undefined
  clock.advance(1000)
  await open(relay)
  assert.equal(name(link.status), 'open')
})

test('a lost side comes back within 200 ms and backs off to a second', async () => {
  const { relay, clock, link } = setUp()
  await open(relay)
  relay.last('receive').events.end(failure('ended', 'reset'))
  assert.equal(name(link.status), 'ended')
  const gaps: number[] = []
  for (let i = 0; i < 12; i++) {
    const before = relay.count('receive')
    const start = clock.now()
    while (relay.count('receive') === before) {
      clock.advance(10)
      await settle()
      assert.ok(clock.now() - start < 1500, 'no retry came')
    }
    gaps.push(clock.now() - start)
    relay.last('receive').events.end(failure('unreachable', 'refused'))
  }
  assert.ok((gaps[0] ?? 0) <= 200, `first retry after ${gaps[0]} ms`)
  assert.ok(Math.max(...gaps) <= 1010 && (gaps.at(-1) ?? 0) >= 900)
})

test('while the boxes are not there the reader asks every 300 ms at most, and keeps saying so', async () => {
  const { relay, clock, link, seen } = setUp()
  await open(relay)
  for (let i = 0; i < 10; i++) {
    const before = relay.count('receive')
    relay.last('receive').events.end(failure('not-found', 'stream not found'))
    clock.advance(310)
    await settle()
    assert.equal(relay.count('receive'), before + 1)
    relay.last('receive').events.opened()
  }
  assert.equal(name(link.status), 'not-found')
  assert.deepEqual(seen, ['open', 'not-found'], 'a question that may be refused is no success')
  clock.advance(500)
  assert.equal(name(link.status), 'open')
})

test('an answer ends the doubt at once', async () => {
  const { relay, clock, link } = setUp()
  await open(relay)
  for (const accept of ['confirmed', 'message'] as const) {
    relay.last('receive').events.end(failure('not-found', 'stream not found'))
    clock.advance(310)
    await settle()
    relay.last('receive').events[accept](MESSAGE)
    assert.equal(name(link.status), 'open')
  }
})

test('the side that gets through takes the other along', async () => {
  const { relay, clock } = setUp()
  await open(relay)
  for (let i = 0; i < 8; i++) {
    relay.last('send').events.end(failure('unreachable', 'refused'))
    clock.advance(1100)
    await settle()
  }
  relay.last('send').events.end(failure('unreachable', 'refused'))
  const before = relay.count('send')
  relay.last('receive').events.end(failure('ended', 'reset'))
  clock.advance(100)
  await settle()
  relay.last('receive').events.opened()
  await settle()
  assert.equal(relay.count('send'), before + 1)
})

test('what is sent while the writer is down is dropped, not kept', async () => {
  const { relay, clock, link } = setUp()
  await open(relay)
  relay.last('send').events.end(failure('ended', 'reset'))
  await link.send(MESSAGE)
  clock.advance(200)
  await settle()
  relay.last('send').events.opened()
  assert.deepEqual(relay.last('send').written, [])
})

test('close ends the writer first, then the reader, and nothing is tried again', async () => {
  const { relay, clock, link, seen } = setUp()
  await open(relay)
  const waiting = link.receive()
  await link.close()
  await link.close()
  assert.deepEqual(relay.log.slice(-2), ['close send', 'close receive'])
  assert.equal(await waiting, undefined)
  assert.equal(await link.receive(), undefined)
  await assert.rejects(link.send(MESSAGE), { code: 'ERR_LINK_CLOSED' })
  assert.deepEqual(seen, ['open', 'closed'])
  assert.equal(clock.next(), undefined)
})

test('closed while it waits to try again, it stays closed', async () => {
  const { relay, clock, link } = setUp()
  await settle()
  relay.last('receive').events.end(failure('unreachable', 'refused'))
  const streams = relay.streams.length
  await link.close()
  clock.advance(10_000)
  await settle()
  assert.equal(relay.streams.length, streams)
})

test('retire closes, then deletes both boxes of the owner', async () => {
  const { relay, link } = setUp({ owner: true })
  await open(relay)
  await link.retire()
  assert.deepEqual(relay.log.slice(-4), ['close send', 'close receive', 'delete 01', 'delete 02'])
})

test('a client never deletes what is not its own', async () => {
  const { relay, link } = setUp()
  await open(relay)
  await link.retire()
  assert.ok(!relay.log.some((line) => line.startsWith('delete')))
})

test('a relay that floods an end that does not read is not listened to for ever', async () => {
  const { relay, link } = setUp()
  await open(relay)
  for (let i = 0; i < 2000; i++) relay.last('receive').events.message(new Uint8Array(8192))
  let kept = 0
  const closing = link.receive()
  assert.ok(await closing)
  for (kept = 1; kept < 2000; kept++) {
    const next = await Promise.race([link.receive(), settle()])
    if (!(next instanceof Uint8Array)) break
  }
  assert.equal(kept, 512)
})
