import assert from 'node:assert/strict'
import test from 'node:test'

import fc from '../../fast-check.ts'
import { concat, toHex, utf8 } from '../../../src/base/bytes.ts'
import { isPinholeError } from '../../../src/base/errors.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import type { Link } from '../../../mailbox/link.ts'
import { recordLink } from '../../../mailbox/noise/record-link.ts'
import { RecordCipher, RECORD_OVERHEAD_BYTES } from '../../../mailbox/noise/record-cipher.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { noted } from './recorded.ts'

const salt = new Uint8Array(32).fill(1)
const there = new Uint8Array(32).fill(2)
const back = new Uint8Array(32).fill(3)
const base = { crypto: nodeCrypto, salt }

function linkPair() {
  const [a, b] = memoryLinkPair()
  const lower = noted(a)
  return {
    lower,
    peer: b,
    one: recordLink(lower, { ...base, sendKey: there, receiveKey: back }),
    two: recordLink(b, { ...base, sendKey: back, receiveKey: there }),
  }
}

/** A link that gives `messages` and then ends. */
function played(messages: readonly Uint8Array[]): Link & { closed: boolean } {
  const left = [...messages]
  return {
    closed: false,
    send: () => Promise.resolve(),
    receive: () => Promise.resolve(left.shift()),
    close() {
      this.closed = true
      return Promise.resolve()
    },
  }
}

function seal(...plaintexts: readonly Uint8Array[]): Uint8Array {
  const cipher = new RecordCipher(nodeCrypto, there, salt)
  return concat(
    ...plaintexts.map((plaintext) => {
      const record = new Uint8Array(plaintext.length + RECORD_OVERHEAD_BYTES)
      cipher.sealRecord(plaintext, record)
      return record
    }),
  )
}

const receiver = (lower: Link) => recordLink(lower, { ...base, sendKey: back, receiveKey: there })

async function received(link: Link): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for (let next = await link.receive(); next; next = await link.receive()) all.push(next)
  return all
}

const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) >> 3)

test('up to two records in one message, headers and bodies together, at most 32768 bytes of plaintext each', async () => {
  const { lower, one, two } = linkPair()
  await one.send(pattern(200_000))
  assert.deepEqual(
    lower.sent.map((message) => message.length / 2),
    [65_604, 65_604, 65_604, 3392 + 34],
  )
  await one.close()
  const records = await received(two)
  assert.deepEqual(
    records.map(({ length }) => length),
    [32_768, 32_768, 32_768, 32_768, 32_768, 32_768, 3_392],
  )
  assert.deepEqual(concat(...records), pattern(200_000))
})

test('records leave in the order of the calls, awaited or not, and across key rotations', async () => {
  const { one, two } = linkPair()
  const sends = Array.from({ length: 1200 }, (_, i) => one.send(utf8(`message ${i}`)))
  await Promise.all(sends)
  for (let i = 0; i < 1200; i++) assert.deepEqual(await two.receive(), utf8(`message ${i}`))
})

test('nothing is sent for an empty message; empty records are passed over', async () => {
  const { lower, one } = linkPair()
  await one.send(new Uint8Array())
  assert.deepEqual(lower.sent, [])
  const empty = new Uint8Array()
  const link = receiver(played([seal(empty, utf8('a'), empty, empty, utf8('b'), empty)]))
  assert.deepEqual(await received(link), [utf8('a'), utf8('b')])
})

test('a record of 65535 bytes is read', async () => {
  const link = receiver(played([seal(pattern(65535), utf8('next'))]))
  assert.deepEqual(await received(link), [pattern(65535), utf8('next')])
})

test('records are found however the bytes are cut into messages', async () => {
  const plaintexts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 6 })
  const cuts = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(plaintexts, cuts, async (sent, lengths) => {
      const stream = seal(...sent)
      const messages: Uint8Array[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + (lengths[i % lengths.length] ?? 1)
        messages.push(stream.subarray(at, end))
        at = end
      }
      assert.deepEqual(await received(receiver(played(messages))), sent)
    }),
    { numRuns: 2000 },
  )
})

test('any bytes in place of records are a coded error, or nothing when there are none', async () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(messages, async (garbage) => {
      const lower = played(garbage)
      const link = receiver(lower)
      if (garbage.every((message) => message.length === 0)) {
        assert.equal(await link.receive(), undefined)
        return
      }
      await assert.rejects(link.receive(), (reason) => isPinholeError(reason, 'ERR_NOISE_RECORD'))
      assert.ok(lower.closed)
    }),
    { numRuns: 10_000 },
  )
})

test('a changed record closes the link for good', async () => {
  for (const at of [0, 17, 18, 18 + 3 + 15]) {
    const stream = seal(utf8('abc'), utf8('def'))
    stream[at] = (stream[at] ?? 0) ^ 1
    const lower = played([stream])
    const link = receiver(lower)
    const broken = (reason: unknown) => isPinholeError(reason, 'ERR_NOISE_RECORD')
    await assert.rejects(link.receive(), broken)
    assert.ok(lower.closed)
    await assert.rejects(link.receive(), broken)
    await assert.rejects(link.send(utf8('x')), broken)
    await link.close()
    await assert.rejects(link.receive(), broken)
  }
})

test('an end between records is an end, within one an error', async () => {
  const stream = seal(utf8('abc'))
  assert.deepEqual(await received(receiver(played([stream]))), [utf8('abc')])
  for (let cut = 1; cut < stream.length; cut++) {
    const link = receiver(played([stream.subarray(0, cut)]))
    await assert.rejects(link.receive(), (reason) => isPinholeError(reason, 'ERR_NOISE_RECORD'))
  }
})

test('after close nothing is sent or received, and both ends see the end', async () => {
  const { one, two, lower } = linkPair()
  const waiting = one.receive()
  await one.close()
  await one.close()
  assert.equal(await waiting, undefined)
  assert.equal(await one.receive(), undefined)
  assert.equal(await two.receive(), undefined)
  const sent = lower.sent.length
  await assert.rejects(one.send(utf8('x')), (reason) => isPinholeError(reason, 'ERR_LINK_CLOSED'))
  assert.equal(lower.sent.length, sent)
})

test('a message that comes while the link closes is not opened with wiped keys', async () => {
  let arrive: (message: Uint8Array) => void = () => {}
  const lower: Link = {
    send: () => Promise.resolve(),
    receive: () => new Promise((resolve) => (arrive = resolve)),
    close: () => Promise.resolve(),
  }
  const link = receiver(lower)
  const waiting = link.receive()
  await link.close()
  arrive(seal(utf8('late')))
  assert.equal(await waiting, undefined)
})

test('a record link copies its keys', async () => {
  const [a, b] = memoryLinkPair()
  const sendKey = there.slice()
  const one = recordLink(a, { ...base, sendKey, receiveKey: back })
  sendKey.fill(0)
  await one.send(utf8('x'))
  assert.deepEqual(await receiver(b).receive(), utf8('x'))
  assert.equal(toHex(salt), '01'.repeat(32))
})
