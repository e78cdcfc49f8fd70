import assert from 'node:assert/strict'
import test from 'node:test'

import fc from '../../fast-check.ts'
import { concat, toHex, utf8 } from '../../../src/base/bytes.ts'
import { browserCrypto } from '../../../mailbox/crypto/browser.ts'
import { writeNonce } from '../../../mailbox/crypto/crypto.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { bytes } from '../known-answers.ts'

const implementations = { node: nodeCrypto, browser: browserCrypto }
const byteString = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
const G = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const TWO_G = '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'

for (const [name, crypto] of Object.entries(implementations)) {
  test(`${name}: SHA-256 and SHA-512 of "abc" (FIPS 180-4)`, () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(toHex(crypto.sha256(utf8('abc'))), sha256)
    assert.equal(toHex(crypto.sha256(utf8('a'), utf8(''), utf8('bc'))), sha256)
    assert.match(toHex(crypto.sha512(utf8('abc'))), /^ddaf35a193617aba.*a54ca49f$/)
  })

  test(`${name}: HMAC-SHA-256 (RFC 4231, case 2)`, () => {
    const mac = crypto.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?'))
    assert.equal(toHex(mac), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  })

  test(`${name}: HKDF without info gives 64 bytes in two halves (RFC 5869, case 3 to 42 bytes)`, () => {
    const [first, second] = crypto.hkdf64(new Uint8Array(), new Uint8Array(22).fill(0x0b))
    assert.equal(first.length, 32)
    assert.equal(second.length, 32)
    assert.equal(
      toHex(concat(first, second)).slice(0, 84),
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    )
  })

  test(`${name}: ChaCha20-Poly1305 (RFC 7539 cipher, BOLT 8 nonces)`, () => {
    // BOLT 8, transport-initiator: the first record's length prefix of "hello", counter 0.
    const key = bytes('969ab31b4d288cedf6218839b27a3e2140827047f2c0f01bf5c04435d43511a9')
    assert.equal(
      toHex(crypto.seal(key, 0, undefined, bytes('0005'))),
      'cf2b30ddf0cf3f80e7c35a6e6730b59fe802',
    )
    assert.equal(
      toHex(crypto.seal(key, 1, undefined, utf8('hello'))),
      '473180f396d88a8fb0db8cbcf25d2f214cf9ea1d95',
    )
  })

  test(`${name}: opens what it sealed and nothing else`, () => {
    const key = new Uint8Array(32).fill(7)
    const ad = utf8('ad')
    const into = new Uint8Array(3 + 16)
    const sealed = crypto.seal(key, 5, ad, utf8('abc'), into)
    assert.equal(sealed, into)
    assert.deepEqual(crypto.open(key, 5, ad, sealed), utf8('abc'))
    assert.equal(crypto.open(key, 6, ad, sealed), undefined)
    assert.equal(crypto.open(key, 5, undefined, sealed), undefined)
    assert.equal(crypto.open(key, 5, ad, sealed.subarray(0, 18)), undefined)
    assert.equal(crypto.open(key, 5, ad, new Uint8Array(15)), undefined)
    sealed[0] = (sealed[0] ?? 0) ^ 1
    assert.equal(crypto.open(key, 5, ad, sealed), undefined)
  })

  test(`${name}: scrypt (RFC 7914, second vector, first 32 bytes)`, async () => {
    const key = await crypto.scrypt(utf8('password'), utf8('NaCl'), { N: 1024, r: 8, p: 16 })
    assert.equal(toHex(key), 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162')
  })

  test(`${name}: results are Uint8Arrays whose slice copies`, async () => {
    const cost = { N: 2, r: 1, p: 1 }
    const results = [
      crypto.randomBytes(8),
      crypto.sha256(utf8('')),
      crypto.sha512(utf8('')),
      crypto.hmacSha256(utf8('k'), utf8('')),
      ...crypto.hkdf64(utf8('s'), utf8('')),
      crypto.seal(new Uint8Array(32), 0, undefined, utf8('')),
      crypto.open(
        new Uint8Array(32),
        0,
        undefined,
        crypto.seal(new Uint8Array(32), 0, undefined, utf8('a')),
      ),
      crypto.generatePrivateKey(),
      crypto.publicKey(bytes('11'.repeat(32))),
      crypto.ecdh(bytes('11'.repeat(32)), bytes(G)),
      await crypto.scrypt(utf8('p'), utf8('s'), cost),
    ]
    for (const result of results) {
      assert.ok(result)
      assert.equal(Object.getPrototypeOf(result), Uint8Array.prototype)
      assert.notEqual(result.slice().buffer, result.buffer)
    }
  })

  test(`${name}: keys at the edges of the group`, () => {
    const one = bytes('00'.repeat(31) + '01')
    const last = bytes(ORDER.slice(0, -2) + '40')
    assert.equal(toHex(crypto.publicKey(one)), G)
    assert.equal(toHex(crypto.publicKey(last)), `03${G.slice(2)}`)
    assert.equal(toHex(crypto.multiply(last, bytes(TWO_G))), `03${TWO_G.slice(2)}`)
    assert.equal(toHex(crypto.multiply(one, bytes(TWO_G))), TWO_G)
    assert.equal(toHex(crypto.multiply(bytes('00'.repeat(31) + '02'), bytes(G))), TWO_G)
  })

  test(`${name}: private and public keys are told from other bytes`, () => {
    assert.equal(crypto.isPrivateKey(new Uint8Array(32)), false)
    assert.equal(crypto.isPrivateKey(bytes(ORDER)), false)
    assert.equal(crypto.isPrivateKey(new Uint8Array(31).fill(1)), false)
    assert.equal(crypto.isPrivateKey(crypto.generatePrivateKey()), true)
    assert.equal(crypto.isPublicKey(bytes(G)), true)
    assert.equal(crypto.isPublicKey(bytes(`04${G.slice(2)}`)), false)
    assert.equal(crypto.isPublicKey(bytes(G.slice(2))), false)
    assert.equal(crypto.isPublicKey(new Uint8Array(33).fill(2, 0, 1)), false)
    assert.equal(crypto.isPublicKey(new Uint8Array(33)), false)
    assert.equal(crypto.isPublicKey(bytes('00')), false)
    // x = 1a85… is the first candidate for N and not on the curve.
    const off = '021a8520a422468ac19e6c03728e985b5812ea9d52e9c12d7eac8488e792a7cc7c'
    assert.equal(crypto.isPublicKey(bytes(off)), false)
  })

  test(`${name}: a wrong key of one's own is a TypeError`, () => {
    const key = bytes('11'.repeat(32))
    assert.throws(() => crypto.publicKey(new Uint8Array(32)), TypeError)
    assert.throws(() => crypto.multiply(new Uint8Array(32), bytes(G)), TypeError)
    assert.throws(() => crypto.multiply(key, new Uint8Array(33)), TypeError)
    assert.throws(() => crypto.ecdh(key, new Uint8Array(33)), TypeError)
  })
}

test('both implementations multiply alike, and ECDH is the same from both sides', () => {
  fc.assert(
    fc.property(byteString(32), byteString(32), (a, b) => {
      fc.pre(nodeCrypto.isPrivateKey(a) && nodeCrypto.isPrivateKey(b))
      const point = nodeCrypto.publicKey(b)
      assert.deepEqual(browserCrypto.publicKey(b), point)
      assert.deepEqual(nodeCrypto.multiply(a, point), browserCrypto.multiply(a, point))
      assert.deepEqual(nodeCrypto.ecdh(a, point), nodeCrypto.ecdh(b, nodeCrypto.publicKey(a)))
    }),
    { numRuns: 60 },
  )
})

test('both implementations seal alike', () => {
  const counter = fc.integer({ min: 0, max: 2 ** 40 })
  const ad = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })
  fc.assert(
    fc.property(byteString(32), counter, ad, fc.uint8Array({ maxLength: 300 }), (k, n, a, p) => {
      const sealed = nodeCrypto.seal(k, n, a, p)
      assert.deepEqual(browserCrypto.seal(k, n, a, p), sealed)
      assert.deepEqual(browserCrypto.open(k, n, a, sealed), p)
      assert.deepEqual(nodeCrypto.open(k, n, a, sealed), p)
    }),
    { numRuns: 1000 },
  )
})

test('the counter of a nonce is little-endian in the last eight bytes', () => {
  assert.equal(toHex(writeNonce(0x0102030405, new Uint8Array(12))), '000000000504030201000000')
})
