import assert from 'node:assert/strict'
import test from 'node:test'
import { bits, der, integer, oid, time } from '../../src/certificate/der.ts'

const hex = (bytes: Buffer) => bytes.toString('hex')

test('lengths are short up to 127 and long above (X.690 §8.1.3)', () => {
  assert.equal(hex(der(0x04, Buffer.alloc(127))).slice(0, 4), '047f')
  assert.equal(hex(der(0x04, Buffer.alloc(128))).slice(0, 6), '048180')
  assert.equal(hex(der(0x04, Buffer.alloc(256))).slice(0, 8), '04820100')
})

test('integers are positive and as short as can be (X.690 §8.3)', () => {
  assert.equal(hex(integer(Buffer.from([0, 0, 5]))), '020105')
  assert.equal(hex(integer(Buffer.from([0x80]))), '02020080')
  assert.equal(hex(integer(Buffer.from([0, 0]))), '020100')
})

test('object identifiers as RFC 5280 and 5758 print them', () => {
  assert.equal(hex(oid('1.2.840.10045.4.3.2')), '06082a8648ce3d040302')
  assert.equal(hex(oid('2.5.29.17')), '0603551d11')
  assert.equal(hex(oid('1.3.6.1.5.5.7.3.1')), '06082b06010505070301')
})

test('times are UTCTime through 2049 and GeneralizedTime after (RFC 5280 §4.1.2.5)', () => {
  const text = (bytes: Buffer) => `${bytes[0]} ${bytes.subarray(2).toString()}`
  assert.equal(text(time(Date.UTC(2049, 11, 31, 23, 59, 59))), `${0x17} 491231235959Z`)
  assert.equal(text(time(Date.UTC(2050, 0, 1))), `${0x18} 20500101000000Z`)
})

test('bit strings say how many bits do not count', () => {
  assert.equal(hex(bits(Buffer.from([0b1010_0100]), 2)), '030202a4')
})
