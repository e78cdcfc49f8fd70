import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import { PinholeError } from '../../../src/base/errors.ts'
import { Accounts, accountKey, type Account } from '../../../mailbox/relay/accounts.ts'
import type { Box, ReadingEnd, WritingEnd } from '../../../mailbox/relay/box.ts'
import { Boxes, boxKey } from '../../../mailbox/relay/boxes.ts'
import { CLAIM_WAIT_MS, relayLimits, type RelayLimits } from '../../../mailbox/relay/limits.ts'
import { MessageRate } from '../../../mailbox/relay/rate.ts'

const KIB = 1024

class Reader implements ReadingEnd {
  idle = true
  wakes = 0
  end: string | undefined
  wake(): void {
    this.wakes++
  }
  ended(reason: PinholeError): void {
    this.end = reason.message
  }
}

class Writer implements WritingEnd {
  resumes = 0
  probes = 0
  end: string | undefined
  resume(): void {
    this.resumes++
  }
  probe(): void {
    this.probes++
  }
  ended(reason: PinholeError): void {
    this.end = reason.message
  }
}

function setup(given: Partial<RelayLimits> = {}): {
  clock: ManualClock
  boxes: Boxes
  accounts: Accounts
  account: Account
} {
  const clock = new ManualClock()
  const limits = relayLimits(given)
  const accounts = new Accounts(limits)
  return { clock, accounts, boxes: new Boxes(limits, accounts, clock), account: accounts.of('a') }
}

const id = (n: number): Uint8Array => new Uint8Array(64).fill(n)
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)

function boxOf(outcome: Box | PinholeError | undefined): Box {
  if (outcome === undefined || outcome instanceof PinholeError) assert.fail('no box')
  return outcome
}

const textOf = (outcome: Box | PinholeError | undefined): string =>
  outcome instanceof PinholeError ? outcome.message : 'no refusal'

function claimRead(boxes: Boxes, n: number, reader = new Reader()): Box {
  let got: Box | PinholeError | undefined
  boxes.claimRead(id(n), reader, (outcome) => (got = outcome))
  return boxOf(got)
}

test('ids: the first 64 bytes count, shorter ones are padded with zeros', () => {
  assert.equal(boxKey(bytes(1)), boxKey(new Uint8Array([1, ...new Uint8Array(63)])))
  assert.equal(boxKey(new Uint8Array(65).fill(255)), boxKey(new Uint8Array(64).fill(255)))
  assert.notEqual(boxKey(id(1)), boxKey(id(2)))
  assert.equal(boxKey(new Uint8Array(0)).length, 64)
})

test('create and delete', () => {
  const { boxes, account, accounts } = setup()
  assert.equal(boxes.create(id(1), account), undefined)
  assert.equal(boxes.create(id(1), account)?.message, 'stream already active')
  assert.equal(boxes.delete(id(1)), undefined)
  assert.equal(boxes.delete(id(1))?.message, 'stream not found')
  assert.equal(boxes.size, 0)
  assert.equal(accounts.size, 0, 'an address that has nothing is forgotten')
})

test('an occupied end is waited for, then refused in words that clients know', () => {
  const { boxes, account, clock } = setup()
  boxes.create(id(1), account)
  const first = new Reader()
  const box = claimRead(boxes, 1, first)
  const outcomes: (Box | PinholeError)[] = []
  boxes.claimRead(id(1), new Reader(), (outcome) => outcomes.push(outcome))
  clock.advance(CLAIM_WAIT_MS - 1)
  assert.equal(outcomes.length, 0)
  clock.advance(1)
  assert.match(textOf(outcomes[0]), /read stream occupied/)

  const second = new Reader()
  boxes.claimRead(id(1), second, (outcome) => outcomes.push(outcome))
  clock.advance(100)
  boxes.release(box, first)
  assert.equal(outcomes[1], box, 'an end that comes free goes to who waits')
  assert.equal(box.reader, second)
  clock.advance(1000)
  assert.equal(outcomes.length, 2)

  const writer = new Writer()
  boxes.claimWrite(id(1), writer, () => {})
  boxes.claimWrite(id(1), new Writer(), (outcome) => outcomes.push(outcome))
  assert.equal(writer.probes, 1, 'who holds the end is asked whether it lives')
  clock.advance(CLAIM_WAIT_MS)
  assert.match(textOf(outcomes[2]), /write stream occupied/)
})

test('a withdrawn claim is not served', () => {
  const { boxes, account, clock } = setup()
  boxes.create(id(1), account)
  const first = new Reader()
  const box = claimRead(boxes, 1, first)
  const withdraw = boxes.claimRead(id(1), new Reader(), () => assert.fail('was withdrawn'))
  withdraw()
  boxes.release(box, first)
  clock.advance(1000)
  assert.equal(box.reader, undefined)
})

test('a message that was not written out goes to the next reader, in order', () => {
  const { boxes, account } = setup()
  boxes.create(id(1), account)
  const first = new Reader()
  const box = claimRead(boxes, 1, first)
  for (const n of [1, 2, 3]) box.put(bytes(n), account, 1)
  assert.deepEqual(box.next(), bytes(1))
  assert.deepEqual(box.next(), bytes(2))
  box.confirm(1, () => {})
  boxes.release(box, first)

  const second = new Reader()
  claimRead(boxes, 1, second)
  assert.equal(second.wakes, 1)
  assert.deepEqual([box.next(), box.next(), box.next()], [bytes(2), bytes(3), undefined])
})

test('teardown tells each end what Aperture tells it', () => {
  const { boxes, account, clock } = setup()
  boxes.create(id(1), account)
  const reader = new Reader()
  const writer = new Writer()
  claimRead(boxes, 1, reader)
  boxes.claimWrite(id(1), writer, () => {})
  const claimants: string[] = []
  boxes.claimRead(id(1), new Reader(), (outcome) => claimants.push(textOf(outcome)))
  boxes.claimWrite(id(1), new Writer(), (outcome) => claimants.push(textOf(outcome)))
  boxes.delete(id(1))
  assert.equal(reader.end, 'EOF')
  assert.equal(writer.end, 'io: read/write on closed pipe')
  assert.deepEqual(
    claimants.map((text) => /shutting down/.test(text)),
    [true, true],
  )
  boxes.claimRead(id(1), new Reader(), (outcome) => claimants.push(textOf(outcome)))
  assert.match(claimants[2] ?? '', /stream not found/)
  assert.equal(clock.next(), undefined, 'no timer is left')
})

test('a box that nobody holds is removed; one that is held is not', () => {
  const { boxes, account, clock } = setup({ staleTimeoutMs: 1000 })
  boxes.create(id(1), account)
  boxes.create(id(2), account)
  const reader = new Reader()
  const box = claimRead(boxes, 2, reader)
  clock.advance(1000)
  assert.equal(boxes.size, 1)
  boxes.release(box, reader)
  clock.advance(999)
  assert.equal(boxes.size, 1, 'the time begins anew when both ends are free')
  clock.advance(1)
  assert.equal(boxes.size, 0)

  const never = setup({ staleTimeoutMs: -1 })
  never.boxes.create(id(1), never.account)
  never.clock.advance(1e12)
  assert.equal(never.boxes.size, 1)
})

test('limits on boxes name the key', () => {
  const { boxes, accounts } = setup({ maxBoxes: 3, maxBoxesPerAddress: 2 })
  const a = accounts.of('192.0.2.1')
  const b = accounts.of('192.0.2.2')
  assert.equal(boxes.create(id(1), a), undefined)
  assert.equal(boxes.create(id(2), a), undefined)
  const own = boxes.create(id(3), a)
  assert.match(own?.message ?? '', /hashmail\.maxboxesperaddress is 2/)
  assert.deepEqual([own?.grpc, own?.status], [8, 429])
  assert.equal(boxes.create(id(3), b), undefined)
  assert.match(boxes.create(id(4), b)?.message ?? '', /hashmail\.maxboxes is 3/)
  boxes.delete(id(1))
  assert.equal(boxes.create(id(4), a), undefined)
})

test('bytes: who does not get any waits, and is woken in turn', () => {
  const { boxes, accounts } = setup({
    maxMessageBytes: 6 * KIB,
    maxBufferedBytes: 20 * KIB,
    maxBufferedBytesPerAddress: 16 * KIB,
  })
  const a = accounts.of('a')
  const b = accounts.of('b')
  const writers = [new Writer(), new Writer(), new Writer()] as const
  assert.equal(boxes.reserve(a, 10 * KIB, true, writers[0]), true)
  assert.equal(boxes.reserve(a, 10 * KIB, true, writers[0]), false, "the address's own limit")
  assert.equal(boxes.reserve(b, 10 * KIB, true, writers[1]), true)
  assert.equal(boxes.reserve(b, 1 * KIB, true, writers[2]), false, 'the limit of all')
  boxes.giveBack(b, 10 * KIB)
  assert.deepEqual(
    writers.map((writer) => writer.resumes),
    [0, 0, 1],
  )
  boxes.giveBack(a, 10 * KIB)
  assert.deepEqual(
    writers.map((writer) => writer.resumes),
    [1, 0, 1],
  )
  assert.equal(boxes.bytes.used, 0)
})

test('bytes: what nobody reads fills half; who has a reader goes on, and first', () => {
  const { boxes, accounts } = setup({
    maxMessageBytes: 6 * KIB,
    maxBufferedBytes: 20 * KIB,
    maxBufferedBytesPerAddress: 20 * KIB,
  })
  const a = accounts.of('a')
  const [unread, read] = [new Writer(), new Writer()] as const
  assert.equal(boxes.reserve(a, 10 * KIB, false, unread), true)
  assert.equal(boxes.reserve(a, 1, false, unread), false)
  assert.equal(boxes.reserve(a, 10 * KIB, true, read), true)
  assert.equal(boxes.reserve(a, 5 * KIB, true, read), false)
  boxes.giveBack(a, 5 * KIB)
  assert.deepEqual([unread.resumes, read.resumes], [0, 1])
  boxes.giveBack(a, 15 * KIB)
  assert.deepEqual([unread.resumes, read.resumes], [1, 1])
})

test('a box takes few messages while nobody reads it, more while somebody does', () => {
  const { boxes, account } = setup({ maxUnreadMessages: 2, maxBoxMessages: 4 })
  boxes.create(id(1), account)
  const { limits } = boxes
  const writer = new Writer()
  let box: Box | undefined
  boxes.claimWrite(id(1), writer, (outcome) => (box = boxOf(outcome)))
  const held = boxOf(box)
  for (const n of [1, 2]) {
    assert.equal(held.hasRoom(1, limits), true)
    held.put(bytes(n), account, 0)
  }
  assert.equal(held.hasRoom(1, limits), false)
  claimRead(boxes, 1)
  assert.ok(writer.resumes > 0, 'a reader makes room')
  const before = writer.resumes
  held.put(bytes(3), account, 0)
  held.put(bytes(4), account, 0)
  assert.equal(held.hasRoom(1, limits), false)
  held.next()
  held.confirm(1, () => {})
  assert.equal(writer.resumes, before + 1)
})

test('a message larger than a box may hold still fits into an empty one', () => {
  const { boxes, account } = setup({ maxBoxBytes: 10 })
  boxes.create(id(1), account)
  const box = claimRead(boxes, 1)
  assert.equal(box.hasRoom(100, boxes.limits), true)
  box.put(new Uint8Array(100), account, 0)
  assert.equal(box.hasRoom(1, boxes.limits), false)
})

test('rate: a burst, then one message a period', () => {
  const rate = new MessageRate(500, 2, 0)
  assert.deepEqual([rate.take(0), rate.take(0), rate.take(0)], [0, 0, 500])
  assert.equal(rate.take(250), 250)
  assert.equal(rate.take(500), 0)
  assert.equal(rate.take(501), 499)
  assert.deepEqual([rate.take(1e6), rate.take(1e6), rate.take(1e6)], [0, 0, 500])
})

test('addresses: IPv6 counts by /64, mapped IPv4 as IPv4', () => {
  const same: readonly [string, string][] = [
    ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff:ffff:ffff:ffff'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fe80::1%eth0', 'fe80::2'],
  ]
  for (const [a, b] of same) assert.equal(accountKey(a), accountKey(b), `${a} and ${b}`)
  assert.notEqual(accountKey('2001:db8:1:2::1'), accountKey('2001:db8:1:3::1'))
  assert.notEqual(accountKey('192.0.2.1'), accountKey('192.0.2.2'))
})

test('limits that make no sense are a TypeError', () => {
  assert.throws(() => relayLimits({ maxBoxes: 0 }), TypeError)
  assert.throws(() => relayLimits({ maxMessageBytes: Number.NaN }), TypeError)
  assert.throws(() => relayLimits({ maxBufferedBytes: 1000 }), TypeError)
  assert.equal(relayLimits({ staleTimeoutMs: -1 }).staleTimeoutMs, -1)
})

test('a hundred flooded boxes hold less than one connection has on its way', () => {
  const { boxes, account } = setup({})
  boxes.create(id(1), account)
  const writer = new Writer()
  let box: Box | undefined
  boxes.claimWrite(id(1), writer, (outcome) => (box = boxOf(outcome)))
  claimRead(boxes, 1)
  const held = boxOf(box)
  let taken = 0
  while (taken < 10_000 && held.hasRoom(256, boxes.limits)) {
    held.put(new Uint8Array(256), account, 0)
    taken++
  }
  // Three windows of LNC at least; WINDOW_UPDATEs of readers wait behind the rest (`maxBoxMessages`).
  assert.ok(taken >= 60, `${taken} messages`)
  assert.ok(100 * taken * 256 <= 4 * 1024 * KIB, `${taken} messages`)
})
