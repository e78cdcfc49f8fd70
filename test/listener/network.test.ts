import assert from 'node:assert/strict'
import { BlockList, isIP, SocketAddress } from 'node:net'
import test from 'node:test'
import fc from '../fast-check.ts'
import { addressBytes, networkOf, plainAddress } from '../../src/listener/network.ts'

test('addresses are read as bytes', () => {
  assert.deepEqual(addressBytes('10.0.0.255'), Buffer.from([10, 0, 0, 255]))
  assert.equal(addressBytes('::1')?.toString('hex'), '0'.repeat(31) + '1')
  assert.equal(addressBytes('::')?.toString('hex'), '0'.repeat(32))
  assert.equal(addressBytes('fe80::1%eth0')?.toString('hex'), `fe80${'0'.repeat(27)}1`)
  assert.equal(addressBytes('::ffff:1.2.3.4')?.toString('hex'), `${'0'.repeat(20)}ffff01020304`)
  assert.equal(addressBytes('not-an-ip'), undefined)
})

test('every IPv6 address reads as Node understands it', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      if (isIP(address) !== 6) return
      const bytes = addressBytes(address)
      assert.equal(bytes?.length, 16)
      const full = bytes.toString('hex').replaceAll(/(.{4})(?!$)/g, '$1:')
      const same = new BlockList()
      same.addAddress(new SocketAddress({ address, family: 'ipv6' }))
      assert.ok(same.check(full, 'ipv6'), `${address} read as ${full}`)
    }),
  )
})

test('an IPv4 client is the same one on a socket of either family', () => {
  assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(plainAddress('::1'), '::1')
  assert.equal(networkOf('::ffff:192.0.2.1'), networkOf('192.0.2.1'))
})

test('an IPv6 client is its network of 64 bits', () => {
  assert.equal(networkOf('2001:db8:0:1::1'), networkOf('2001:db8:0:1:ffff::2'))
  assert.notEqual(networkOf('2001:db8:0:1::1'), networkOf('2001:db8:0:2::1'))
  assert.notEqual(networkOf('192.0.2.1'), networkOf('192.0.2.2'))
})
