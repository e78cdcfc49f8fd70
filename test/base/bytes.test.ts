import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import {
  compact,
  concat,
  equalBytes,
  fromHex,
  text,
  toHex,
  utf8,
  wipe,
} from '../../src/base/bytes.ts'

test('hex goes there and back in either case', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const hex = toHex(bytes)
      assert.equal(hex, Buffer.from(bytes).toString('hex'))
      assert.deepEqual(fromHex(hex), bytes)
      assert.deepEqual(fromHex(hex.toUpperCase()), bytes)
    }),
  )
})

test('what is no hex is undefined, never a guess', () => {
  for (const odd of ['0', 'zz', '0x', ' 00', '0g', '００'])
    assert.equal(fromHex(odd), undefined, odd)
  assert.deepEqual(fromHex(''), new Uint8Array(0))
})

test('text goes there and back; broken UTF-8 does not throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (given) => assert.equal(text(utf8(given)), given)),
  )
  assert.equal(text(Uint8Array.of(0xff, 0x41)), '\ufffdA')
})

test('concat copies its parts in order', () => {
  const part = Uint8Array.of(1, 2)
  const whole = concat(part, new Uint8Array(0), Uint8Array.of(3))
  part[0] = 9
  assert.deepEqual(whole, Uint8Array.of(1, 2, 3))
  const single = Uint8Array.of(7)
  assert.notEqual(concat(single), single)
})

test('equalBytes agrees with comparing one by one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
      assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)
      assert.ok(equalBytes(a, a.slice()))
    }),
  )
  assert.ok(!equalBytes(Uint8Array.of(0), new Uint8Array(0)))
})

test('wipe overwrites every secret and passes over missing ones', () => {
  const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)]
  wipe(a, undefined, b)
  assert.deepEqual([...a, ...b], [0, 0, 0])
})

test('compact keeps what is most of its memory, and copies what is little of it', () => {
  const read = Buffer.alloc(65_536)
  const half = read.subarray(0, 40_000)
  assert.equal(compact(half), half)
  const little = compact(read.subarray(7, 9))
  assert.equal(little.length, 2)
  assert.equal(little.buffer.byteLength, 2)
  const small = new Uint8Array(100).subarray(1, 2)
  assert.equal(compact(small), small)
})
