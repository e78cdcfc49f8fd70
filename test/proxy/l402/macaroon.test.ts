import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { concat, equalBytes, toHex, utf8 } from '../../../src/base/bytes.ts'
import { MAX_CAVEATS, MAX_MACAROON_BYTES } from '../../../proxy/l402/fields.ts'
import { extendMacaroon, hasSignature, readMacaroon } from '../../../proxy/l402/macaroon.ts'
import { hex, vectors } from './vectors.ts'

const RUNS = { numRuns: 10_000 }

const isUtf8 = (bytes: Uint8Array) => equalBytes(utf8(new TextDecoder().decode(bytes)), bytes)

test('what Go wrote is read, in both versions, and its signature found right', () => {
  for (const token of vectors.tokens) {
    for (const [version, text] of [
      [2, token.v2],
      [1, token.v1],
    ] as const) {
      const macaroon = readMacaroon(hex(text))
      assert.ok(macaroon)
      assert.equal(macaroon.version, version)
      assert.equal(macaroon.location, 'lsat')
      assert.equal(toHex(macaroon.identifier), token.identifier)
      assert.deepEqual(macaroon.caveats, token.caveats ?? [])
      assert.equal(macaroon.thirdParty, false)
      assert.equal(hasSignature(macaroon, hex(token.rootKey)), true)
      assert.equal(hasSignature(macaroon, hex(token.paymentHash)), false)
      assert.equal(toHex(extendMacaroon(macaroon, [])), token.v2)
    }
  }
})

test('of damaged macaroons those are read that Go reads and writes back the same', () => {
  let read = 0
  for (const { bytes, accepted, again, ...parts } of vectors.parsings) {
    const macaroon = readMacaroon(hex(bytes))
    const texts = (parts.caveats ?? []).filter((caveat) => caveat !== 'third party')
    // Stricter than Go in this, too: a caveat and a location are texts.
    const legible = [...texts, ...(parts.locations ?? [])].every((text) => isUtf8(hex(text)))
    const canonical = accepted && again === bytes && legible
    assert.equal(macaroon !== undefined, canonical, bytes)
    if (!macaroon) continue
    read++
    assert.equal(toHex(macaroon.identifier), parts.identifier)
    assert.equal(toHex(macaroon.signature), parts.signature)
    assert.deepEqual(
      macaroon.caveats.map((text) => toHex(utf8(text))),
      texts,
    )
    assert.equal(macaroon.thirdParty, parts.caveats?.includes('third party') ?? false)
  }
  assert.ok(read > 30, `only ${read} were read`)
})

test('a third-party caveat never verifies', () => {
  const vector = vectors.parsings.find(({ caveats }) => caveats?.[0] === 'third party')
  const macaroon = readMacaroon(hex(vector?.bytes ?? ''))
  assert.ok(macaroon?.thirdParty)
  assert.equal(hasSignature(macaroon, utf8('key')), false)
})

test('macaroons beyond the limits are not read', () => {
  const [token] = vectors.tokens
  const small = readMacaroon(hex(token?.v2 ?? ''))
  const smallV1 = readMacaroon(hex(token?.v1 ?? ''))
  assert.ok(small && smallV1)
  const many = Array<string>(MAX_CAVEATS).fill('a=b')
  assert.ok(readMacaroon(extendMacaroon(small, many)))
  assert.equal(readMacaroon(extendMacaroon(small, [...many, 'a=b'])), undefined)
  const spare = MAX_MACAROON_BYTES - small.bytes.length - 4
  assert.equal(extendMacaroon(small, ['x'.repeat(spare)]).length, MAX_MACAROON_BYTES)
  assert.ok(readMacaroon(extendMacaroon(small, ['x'.repeat(spare)])))
  assert.equal(readMacaroon(extendMacaroon(small, ['x'.repeat(spare + 1)])), undefined)
  const packets = (count: number) =>
    concat(
      smallV1.bytes.subarray(0, smallV1.bytes.length - 47),
      ...Array<Uint8Array>(count).fill(utf8('000ccid a=b\n')),
      smallV1.bytes.subarray(-47),
    )
  assert.equal(readMacaroon(packets(MAX_CAVEATS))?.caveats.length, MAX_CAVEATS)
  assert.equal(readMacaroon(packets(MAX_CAVEATS + 1)), undefined)
})

const zeros = (count: number) => new Uint8Array(count)

test('version 2 has one encoding', () => {
  const v2 = (...caveats: readonly (readonly number[])[]) => {
    const end = [0, 6, 32, ...zeros(32)]
    return Uint8Array.from([2, 1, 1, 0x6c, 2, 1, 0x69, 0, ...caveats.flat(), ...end])
  }
  assert.deepEqual(readMacaroon(v2())?.caveats, [])
  assert.deepEqual(readMacaroon(v2([2, 1, 0x61, 0], [2, 0, 0]))?.caveats, ['a', ''])
  assert.equal(readMacaroon(v2([2, 1, 0x61, 4, 1, 0x76, 0]))?.thirdParty, true)
  assert.equal(readMacaroon(v2([1, 1, 0x6c, 2, 1, 0x61, 4, 1, 0x76, 0]))?.thirdParty, true)
  const refused: Record<string, readonly number[]> = {
    'a length in two bytes': [2, 0x81, 0, 0x61, 0],
    'a length in three': [2, 0x81, 0x80, 0, 0x61, 0],
    'a location for nobody': [1, 1, 0x6c, 2, 1, 0x61, 0],
    'an empty location': [1, 0, 2, 1, 0x61, 4, 1, 0x76, 0],
    'an empty verification id': [2, 1, 0x61, 4, 0, 0],
    'no identifier': [4, 1, 0x76, 0],
    'two identifiers': [2, 1, 0x61, 2, 1, 0x61, 0],
    'the verification id first': [4, 1, 0x76, 2, 1, 0x61, 0],
    'an unknown field': [2, 1, 0x61, 3, 1, 0x76, 0],
    'no UTF-8': [2, 1, 0xff, 0],
  }
  for (const [what, caveat] of Object.entries(refused)) {
    assert.equal(readMacaroon(v2(caveat)), undefined, what)
  }
})

test('version 1 has one order', () => {
  const packet = (name: string, data: string | Uint8Array) => {
    const bytes = typeof data === 'string' ? utf8(data) : data
    const size = 4 + name.length + 1 + bytes.length + 1
    return concat(utf8(`${size.toString(16).padStart(4, '0')}${name} `), bytes, utf8('\n'))
  }
  const v1 = (...caveats: readonly (readonly [string, string])[]) =>
    concat(
      packet('location', 'lsat'),
      packet('identifier', 'id'),
      ...caveats.map(([name, data]) => packet(name, data)),
      packet('signature', zeros(32)),
    )
  assert.deepEqual(readMacaroon(v1(['cid', 'a b']))?.caveats, ['a b'])
  const both = readMacaroon(v1(['cid', 'a'], ['cid', 't'], ['vid', 'v'], ['cl', 'l'], ['cid', 'b']))
  assert.deepEqual(both?.caveats, ['a', 'b'])
  assert.equal(both?.thirdParty, true)
  assert.equal(readMacaroon(v1(['vid', 'v'])), undefined)
  assert.equal(readMacaroon(v1(['cid', 'a'], ['cl', 'l'])), undefined)
  assert.equal(readMacaroon(v1(['cid', 'a'], ['cl', 'l'], ['vid', 'v'])), undefined)
  assert.equal(readMacaroon(v1(['cid', 'a'], ['vid', 'v'], ['vid', 'v'])), undefined)
  assert.equal(readMacaroon(v1(['other', 'a'])), undefined)
  assert.equal(readMacaroon(concat(v1(), utf8('0'))), undefined)
  assert.equal(readMacaroon(concat(v1(), v1())), undefined)
})

test('a byte order mark is a character like others', () => {
  const [token] = vectors.tokens
  const macaroon = readMacaroon(hex(token?.v2 ?? ''))
  assert.ok(macaroon)
  const marked = extendMacaroon(macaroon, ['\ufeffservices=other:0'])
  assert.deepEqual(readMacaroon(marked)?.caveats, ['\ufeffservices=other:0'])
})

test('any bytes are a macaroon or none', () => {
  const seeds = vectors.parsings.slice(0, 10).map(({ bytes }) => hex(bytes))
  const damaged = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 4 }),
    )
    .map(([seed, changes]) => {
      const bytes = Uint8Array.from(seed)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
  let read = 0
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (bytes) => {
      const macaroon = readMacaroon(bytes)
      if (!macaroon) return
      read++
      // What was read is what the library sees, byte for byte.
      if (macaroon.version === 2) assert.deepEqual(extendMacaroon(macaroon, []), bytes)
      assert.equal(hasSignature(macaroon, new Uint8Array(32)), false)
    }),
    RUNS,
  )
  assert.ok(read > 100, `only ${read} were read`)
})
