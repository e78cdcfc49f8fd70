import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from '../fast-check.ts'
import { addressPrefix, clientAddress, parseTrusted } from '../../proxy/client-address.ts'
import { formatIp, parseIp } from '../../proxy/ip.ts'
import { parseBlocklist } from '../../proxy/networks.ts'
import { isPinholeError } from '../../src/base/errors.ts'

const NOBODY = parseTrusted([])

describe('addresses', () => {
  const SPELLINGS: readonly [text: string, canonical: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::1', '::1'],
    ['::', '::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1::', '1::'],
    ['10:0:0:100::', '10:0:0:100::'],
  ]
  for (const [text, canonical] of SPELLINGS) {
    test(`${text} is ${canonical}`, () => {
      assert.equal(clientAddress(text, undefined, NOBODY), canonical)
    })
  }

  test('what is no address stands for none', () => {
    for (const text of [
      undefined,
      '',
      'x',
      '1.2.3',
      '1.2.3.256',
      '1.2.3.04',
      '1.2.3.4/8',
      '::g',
      ':::',
    ]) {
      assert.equal(clientAddress(text, undefined, NOBODY), '0.0.0.0')
    }
  })

  test('an address and its spelling are one', () => {
    const property = fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      assert.deepEqual(parseIp(formatIp(bytes)), bytes)
    })
    fc.assert(property, { numRuns: 2_000 })
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseIp(text)
        assert.ok(bytes)
        const host = new URL(`http://[${text}]`).hostname.slice(1, -1)
        assert.deepEqual(parseIp(host), bytes)
      }),
    )
    fc.assert(
      fc.property(fc.ipV4(), (text) => assert.equal(formatIp(parseIp(text) ?? bytesOf()), text)),
    )
  })
})

const bytesOf = () => new Uint8Array(16)

describe('X-Forwarded-For', () => {
  const trusted = parseTrusted(['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'])
  const CASES: readonly [socket: string, header: string | undefined, client: string][] = [
    // Nobody is believed but who is trusted.
    ['192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['11.0.0.1', '198.51.100.7', '11.0.0.1'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:127.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['2001:db8:1::5', '::ffff:198.51.100.7', '198.51.100.7'],
    // From the right: what the client wrote itself is to the left.
    ['127.0.0.1', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['127.0.0.1', '203.0.113.9, 198.51.100.7, 10.2.3.4', '198.51.100.7'],
    ['127.0.0.1', '10.9.9.9, 198.51.100.7 , 10.2.3.4,10.1.1.1', '198.51.100.7'],
    ['127.0.0.1', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
    // What cannot be read is where it ends.
    ['127.0.0.1', '198.51.100.7, unknown', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7, unknown, 10.2.2.2', '10.2.2.2'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', ',', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7,', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1\t,,', '127.0.0.1'],
    // With ports.
    ['127.0.0.1', '198.51.100.7:443', '198.51.100.7'],
    ['127.0.0.1', '[2001:db8::7]:443', '2001:db8::7'],
    ['127.0.0.1', '[2001:DB8::7]', '2001:db8::7'],
    ['127.0.0.1', '2001:db8::7', '2001:db8::7'],
  ]
  for (const [socket, header, client] of CASES) {
    test(`${socket} with ${JSON.stringify(header)} is ${client}`, () => {
      assert.equal(clientAddress(socket, header, trusted), client)
    })
  }

  test('no header changes the address of a socket that is not trusted', () => {
    const property = fc.property(fc.ipV4(), fc.string(), (socket, header) => {
      fc.pre(!trusted.has(socket))
      assert.equal(clientAddress(socket, header, trusted), socket)
    })
    fc.assert(property, { numRuns: 1_000 })
  })

  test('what a client writes in front of it does not matter', () => {
    const hop = fc.oneof(fc.ipV4(), fc.constantFrom('10.1.1.1', 'unknown', ''))
    const property = fc.property(fc.string(), fc.ipV4(), fc.array(hop), (forged, client, hops) => {
      fc.pre(!trusted.has(client))
      const honest = [client, ...hops.filter((address) => trusted.has(address))].join(', ')
      assert.equal(clientAddress('127.0.0.1', `${forged}, ${honest}`, trusted), client)
    })
    fc.assert(property, { numRuns: 1_000 })
  })
})

describe('networks', () => {
  test('prefixes', () => {
    assert.equal(addressPrefix('192.0.2.77', 24, 48), '192.0.2.0/24')
    assert.equal(addressPrefix('192.0.2.77', 32, 64), '192.0.2.77/32')
    assert.equal(addressPrefix('2001:db8:1:2:3::9', 24, 48), '2001:db8:1::/48')
    assert.equal(addressPrefix('2001:db8:1:2:3::9', 32, 64), '2001:db8:1:2::/64')
  })

  test('a blocklist has addresses and networks', () => {
    const blocked = parseBlocklist([
      '192.0.2.1',
      '198.51.100.0/25',
      '2001:DB8::/33',
      '::ffff:203.0.113.0/120',
    ])
    const inside = [
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '198.51.100.127',
      '2001:db8:7fff::',
      '203.0.113.9',
    ]
    const outside = ['192.0.2.2', '198.51.100.128', '2001:db8:8000::', '203.0.114.0', 'x', '::']
    for (const address of inside) assert.equal(blocked.has(address), true, address)
    for (const address of outside) assert.equal(blocked.has(address), false, address)
  })

  test('all of IPv4 or of IPv6 is not all of the other', () => {
    assert.equal(parseBlocklist(['0.0.0.0/0']).has('192.0.2.1'), true)
    assert.equal(parseBlocklist(['0.0.0.0/0']).has('2001:db8::1'), false)
    assert.equal(parseBlocklist(['::/0']).has('192.0.2.1'), false)
    assert.equal(parseBlocklist(['::/0']).has('2001:db8::1'), true)
  })

  test('membership is that of the binary prefix', () => {
    const bits = (bytes: Uint8Array) =>
      [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', '::3'),
    )
    const property = fc.property(address, address, fc.nat(128), (network, other, length) => {
      const offset = network.includes(':') ? 0 : 96
      fc.pre(offset + length <= 128)
      const [a = '', b = ''] = [network, other].map((text) => bits(parseIp(text) ?? bytesOf()))
      fc.pre(offset > 0 || other.includes(':'))
      const expected = a.slice(0, offset + length) === b.slice(0, offset + length)
      assert.equal(parseBlocklist([`${network}/${length}`]).has(other), expected)
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('what is neither is refused by name', () => {
    for (const text of [
      '',
      'localhost',
      '10.0.0.0/33',
      '::/129',
      '10.0.0/8',
      '10.0.0.0/',
      '1.2.3.4/-1',
    ]) {
      assert.throws(
        () => parseTrusted([text]),
        (error) => {
          return (
            isPinholeError(error, 'ERR_CONFIG_VALUE') && error.message.startsWith('trustproxy: ')
          )
        },
      )
    }
  })
})
