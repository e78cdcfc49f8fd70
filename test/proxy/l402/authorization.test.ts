import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { toHex } from '../../../src/base/bytes.ts'
import {
  MAX_CREDENTIALS,
  MAX_HEADER_CHARS,
  MAX_MACAROONS,
  credentialHeaderNames,
  formatAuthorization,
  parseAuthorization,
  stripL402,
  type Credential,
} from '../../../proxy/l402/authorization.ts'
import { toBase64 } from '../../../proxy/l402/base64.ts'
import { MAX_MACAROON_BYTES } from '../../../proxy/l402/fields.ts'
import { attenuate } from '../../../proxy/l402/mint.ts'
import { hex, vectors } from './vectors.ts'

const [, , token] = vectors.tokens
assert.ok(token)
const macaroon = hex(token.v2)
const preimage = hex(token.preimage)
const m = toBase64(macaroon)
const p = token.preimage
const carrying = attenuate(macaroon, [
  { condition: 'preimage', value: '00' },
  { condition: 'preimage', value: p },
])

const one: readonly Credential[] = [{ macaroons: [macaroon], preimage }]
const authorization = (...values: readonly string[]) =>
  parseAuthorization(values.flatMap((value) => ['Authorization', value]))

test('what Aperture finds in headers is found', () => {
  for (const { lines, accepted, ...expected } of vectors.headers) {
    const found = parseAuthorization((lines ?? []).flat())
    if (!accepted) continue
    assert.ok(found.length > 0)
    for (const credential of found) {
      assert.equal(toHex(credential.preimage), expected.preimage)
      assert.deepEqual(credential.macaroons.map(toHex), [expected.macaroon])
    }
  }
})

test('the scheme has two names, in any case, and the preimage is hex in any case', () => {
  for (const scheme of ['L402', 'LSAT', 'l402', 'lsat', 'Lsat']) {
    assert.deepEqual(authorization(`${scheme} ${m}:${p}`), one)
    assert.deepEqual(authorization(`${scheme}  \t${m}:${p.toUpperCase()} `), one)
  }
})

test('base64 may be URL-safe and without padding', () => {
  const urlSafe = m.replaceAll('+', '-').replaceAll('/', '_')
  for (const text of [m, urlSafe, m.replace(/=+$/, ''), urlSafe.replace(/=+$/, '')]) {
    assert.deepEqual(authorization(`L402 ${text}:${p}`), one)
  }
})

test('lines of other schemes void nothing, before or behind', () => {
  const line = `L402 ${m}:${p}`
  assert.deepEqual(authorization('Basic YTpi', line), one)
  assert.deepEqual(authorization(line, 'Basic YTpi'), one)
  assert.deepEqual(authorization(`Bearer x, ${line}, Basic YTpi`), one)
  assert.deepEqual(authorization(line, `LSAT ${m}:${p}`), [...one, ...one])
  assert.deepEqual(authorization(`LSAT ${m}:${p}, ${line}`), [...one, ...one])
  assert.deepEqual(authorization('L402 broken', line), one)
})

test('a credential may have several macaroons', () => {
  const several = [{ macaroons: [macaroon, carrying], preimage }]
  const c = toBase64(carrying)
  assert.deepEqual(authorization(`L402 ${m},${c}:${p}`), several)
  assert.deepEqual(authorization(`L402 ${m} , ${c}:${p}`), several)
  const list = (count: number) => `L402 ${Array(count).fill(m).join(',')}:${p}`
  assert.equal(authorization(list(MAX_MACAROONS))[0]?.macaroons.length, MAX_MACAROONS)
  assert.deepEqual(authorization(list(MAX_MACAROONS + 1)), [])
})

test('a macaroon in hex carries its preimage in its last such caveat', () => {
  const expected = [{ macaroons: [carrying], preimage }]
  for (const name of ['Macaroon', 'macaroon', 'Grpc-Metadata-Macaroon', 'grpc-metadata-macaroon']) {
    assert.deepEqual(parseAuthorization([name, toHex(carrying)]), expected)
    assert.deepEqual(parseAuthorization([name, toHex(carrying).toUpperCase()]), expected)
    assert.deepEqual(parseAuthorization([name, token.v2]), [])
    assert.deepEqual(parseAuthorization([name, `${toHex(carrying)}0`]), [])
  }
  const both = ['macaroon', toHex(carrying), 'authorization', `L402 ${m}:${p}`]
  assert.deepEqual(parseAuthorization(both), [...one, ...expected])
})

test('what is no credential is passed over', () => {
  const none = [
    '',
    'L402',
    'L402 ',
    `L402 ${m}`,
    `L402 :${p}`,
    `L402 ${m}:`,
    `L402 ${m}:${p.slice(1)}`,
    `L402 ${m}:${p}0`,
    `L402 ${m}:${p} more`,
    `L402 ${m}:${p.slice(1)}g`,
    `L402 ${m}!:${p}`,
    `L402 ${m},:${p}`,
    `L402 A:${p}`,
    `L402 A===:${p}`,
    `L402 A=BC:${p}`,
    `L402${m}:${p}`,
    `XL402 ${m}:${p}`,
    `Basic ${m}:${p}`,
  ]
  for (const value of none) assert.deepEqual(authorization(value), [], value)
  assert.deepEqual(parseAuthorization(['X-Authorization', `L402 ${m}:${p}`]), [])
  assert.deepEqual(parseAuthorization(['Authorization']), [])
})

test('limits come before work', () => {
  const line = `L402 ${m}:${p}`
  assert.deepEqual(authorization(`${' '.repeat(MAX_HEADER_CHARS - line.length)}${line}`), one)
  assert.deepEqual(authorization(`${' '.repeat(MAX_HEADER_CHARS - line.length + 1)}${line}`), [])
  const sized = (bytes: number) => `L402 ${toBase64(new Uint8Array(bytes))}:${p}`
  assert.equal(authorization(sized(MAX_MACAROON_BYTES)).length, 1)
  assert.deepEqual(authorization(sized(MAX_MACAROON_BYTES + 1)), [])
  assert.deepEqual(parseAuthorization(['macaroon', '02'.repeat(MAX_MACAROON_BYTES + 1)]), [])
  const many = Array<string>(3 * MAX_CREDENTIALS).fill(line)
  assert.equal(authorization(...many).length, MAX_CREDENTIALS)
  assert.equal(authorization(many.join(', ')).length, MAX_CREDENTIALS)
})

test('a hostile line costs no more time than its length', () => {
  const fill = (part: string) => part.repeat(Math.floor(MAX_HEADER_CHARS / part.length))
  const before = process.cpuUsage()
  for (const part of ['L402 ', 'L402 a', 'L402 a,', ',L402', 'L402\ta ,', ' ', ',', 'a,', 'a :']) {
    assert.deepEqual(authorization(fill(part), `L402 ${fill(part).slice(5)}`), [])
    stripL402(['authorization', fill(part)])
  }
  // A quadratic pattern takes seconds for each.
  // Of the processor, not of the clock: others may have the machine.
  assert.ok(process.cpuUsage(before).user < 2_000_000)
})

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (bytes, shown) => {
        assert.deepEqual(authorization(formatAuthorization(bytes, shown)), [
          { macaroons: [bytes], preimage: shown },
        ])
      },
    ),
    { numRuns: 10_000 },
  )
})

test('any headers hold credentials or none', () => {
  const name = fc.constantFrom('Authorization', 'macaroon', 'Grpc-Metadata-Macaroon', 'accept')
  const piece = fc.constantFrom(
    'L402 ',
    'LSAT\t',
    m,
    p,
    ':',
    ',',
    ' ',
    '=',
    toHex(carrying),
    'Basic ',
    `L402 ${m}:${p}`,
  )
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  )
  let found = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 3 }), (lines) => {
      const raw = lines.flat()
      const credentials = parseAuthorization(raw)
      if (credentials.length > 0) found++
      for (const credential of credentials) {
        assert.equal(credential.preimage.length, 32)
        assert.ok(credential.macaroons.length > 0)
      }
      // Nothing that opens a door is left behind.
      assert.deepEqual(parseAuthorization(stripL402(raw)), [])
    }),
    { numRuns: 10_000 },
  )
  assert.ok(found > 50, `only ${found} held some`)
})

test('credentials are taken out, and nothing else', () => {
  const lndMacaroon = '0201036c6e640204030a1001000006' + '20' + '00'.repeat(32)
  const kept = [
    ['Host', 'a'],
    ['Authorization', 'Basic YTpi'],
    ['authorization', 'Bearer L402x'],
    ['Macaroon', lndMacaroon],
    ['macaroon', 'not hex'],
    ['X-Macaroon', toHex(carrying)],
  ].flat()
  const taken = [
    ['Authorization', `L402 ${m}:${p}`],
    ['authorization', `lsat ${m}:${p}`],
    ['Authorization', `Basic YTpi, L402 ${m}:${p}`],
    ['Authorization', 'L402 broken'],
    ['Authorization', 'L402'],
    ['Macaroon', toHex(carrying)],
    ['Grpc-Metadata-Macaroon', token.v2],
  ].flat()
  assert.deepEqual(stripL402([...kept, ...taken]), kept)
  assert.deepEqual(stripL402([...taken, ...kept]), kept)
  for (const name of ['authorization', 'macaroon', 'grpc-metadata-macaroon']) {
    assert.ok(credentialHeaderNames.has(name))
  }
})
