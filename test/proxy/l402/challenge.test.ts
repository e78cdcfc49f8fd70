import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { toBase64 } from '../../../proxy/l402/base64.ts'
import {
  MAX_CHALLENGES,
  formatChallenge,
  parseChallenge,
  type Challenge,
} from '../../../proxy/l402/challenge.ts'
import { MAX_CHALLENGE_CHARS } from '../../../proxy/l402/challenge-list.ts'
import { MAX_MACAROON_BYTES } from '../../../proxy/l402/fields.ts'
import { hex, vectors } from './vectors.ts'

const macaroon = hex(vectors.tokens[2]?.v2 ?? '')
const m = toBase64(macaroon)
const invoice = 'lnbcrt100n1pj0example'
const offer = { macaroon, invoice }
const l402: Challenge = { scheme: 'L402', ...offer }
const lsat: Challenge = { scheme: 'LSAT', ...offer }

test('two lines, LSAT first, in the order that clients match', () => {
  const lines = formatChallenge(offer)
  assert.deepEqual(lines, [
    `LSAT macaroon="${m}", invoice="${invoice}"`,
    `L402 macaroon="${m}", invoice="${invoice}", version="0", token="${m}"`,
  ])
  // The pattern of Aperture's client.
  for (const line of lines) {
    const match = /(LSAT|L402) macaroon="(.*?)", invoice="(.*?)"/.exec(line)
    assert.deepEqual(match?.slice(2), [m, invoice])
  }
  assert.deepEqual(parseChallenge(lines), [lsat, l402])
  assert.deepEqual(parseChallenge([lines.join(', ')]), [lsat, l402])
})

test('an invoice that would break the line is a mistake', () => {
  for (const broken of ['', 'lnbc1"', 'lnbc1\r\nSet-Cookie: a=b', 'lnbc1 ', 'lnbc1,']) {
    assert.throws(() => formatChallenge({ macaroon, invoice: broken }), TypeError)
  }
})

test('every way to write one offer is read', () => {
  const urlSafe = m.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  const ways = [
    `L402 version="0", token="${m}", invoice="${invoice}"`,
    `L402 token="${m}", invoice="${invoice}"`,
    `L402 version=0,token="${m}",invoice="${invoice}"`,
    `l402 Macaroon="${m}" , INVOICE="${invoice}"`,
    `L402   macaroon = "${m}",\tinvoice\t=${invoice}`,
    `L402 invoice="${invoice}", macaroon="${m}"`,
    `L402 macaroon=${m}, invoice=${invoice}`,
    `L402 macaroon="${urlSafe}", invoice="${invoice}"`,
    `L402 macaroon="${m}" invoice="${invoice}"`,
    `L402 macaroon="${m}", invoice="\\l\\n${invoice.slice(2)}"`,
    `L402 realm="a, L402 \\"b\\" = c", macaroon="${m}", invoice="${invoice}", more="x"`,
    `L402 macaroon="${m}", invoice="${invoice}", macaroon="AAAA", invoice="other"`,
    `L402 macaroon="?", token="${m}", invoice="${invoice}"`,
    `  , L402 macaroon="${m}", invoice="${invoice}",,`,
  ]
  for (const line of ways) assert.deepEqual(parseChallenge([line]), [l402], line)
})

test('other schemes stand before, between and behind', () => {
  const payment = `Payment id="x", realm="a", method="lightning", request="eyJh", invoice="other"`
  const [first, second] = formatChallenge(offer)
  const others = ['Negotiate', 'Negotiate YII/+a==', 'Basic realm="L402 macaroon=\\"x\\""', payment]
  for (const other of others) {
    const line = [other, first, other, second, other].join(', ')
    assert.deepEqual(parseChallenge([line]), [lsat, l402], line)
    assert.deepEqual(parseChallenge([other, second, other]), [l402])
  }
})

test('what is no offer is passed over', () => {
  const none = [
    '',
    'L402',
    `L402 macaroon="${m}"`,
    `L402 invoice="${invoice}"`,
    `L402 macaroon="", invoice="${invoice}"`,
    `L402 macaroon="${m}", invoice=""`,
    `L402 macaroon="${m}", invoice="a b"`,
    `L402 macaroon="not base64!", invoice="${invoice}"`,
    `L402 version="1", token="${m}", invoice="${invoice}"`,
    `L402 macaroon="${m}", invoice="${invoice}`,
    `Basic macaroon="${m}", invoice="${invoice}"`,
    `L402x macaroon="${m}", invoice="${invoice}"`,
    `macaroon="${m}", invoice="${invoice}"`,
    `Negotiate L402, macaroon="${m}", invoice="${invoice}"`,
    `Basic realm="L402 macaroon=\\"${m}\\", invoice=\\"${invoice}\\""`,
  ]
  for (const line of none) assert.deepEqual(parseChallenge([line]), [], line)
  assert.deepEqual(parseChallenge([]), [])
})

test('limits come before work', () => {
  const [first, second] = formatChallenge(offer)
  const padded = (chars: number) => [' '.repeat(chars - second.length) + second]
  assert.deepEqual(parseChallenge(padded(MAX_CHALLENGE_CHARS)), [l402])
  assert.deepEqual(parseChallenge(padded(MAX_CHALLENGE_CHARS + 1)), [])
  const lines = Array<string>(2 * MAX_CHALLENGES).fill(first)
  assert.equal(parseChallenge(lines).length, MAX_CHALLENGES)
  assert.equal(parseChallenge([lines.join()]).length, MAX_CHALLENGES)
  const sized = (bytes: number) =>
    parseChallenge(formatChallenge({ macaroon: new Uint8Array(bytes), invoice }))
  assert.equal(sized(MAX_MACAROON_BYTES).length, 2)
  assert.equal(sized(MAX_MACAROON_BYTES + 1).length, 0)
})

test('a hostile line costs no more time than its length', () => {
  const fill = (part: string) => part.repeat(Math.floor(MAX_CHALLENGE_CHARS / part.length))
  const before = process.cpuUsage()
  for (const part of [
    'a="',
    'a="\\",',
    'L402 ',
    'a=',
    ' a',
    '",',
    '=',
    'a ',
    '\\',
    'L402 a="b",',
  ]) {
    assert.deepEqual(parseChallenge([fill(part)]), [])
    assert.deepEqual(parseChallenge([`L402 x="${fill(part).slice(8)}`]), [])
  }
  // A quadratic reader takes seconds for each.
  // Of the processor, not of the clock: others may have the machine.
  assert.ok(process.cpuUsage(before).user < 2_000_000)
})

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.stringMatching(/^ln[a-z0-9]{1,40}$/),
      (bytes, bolt11) => {
        const lines = formatChallenge({ macaroon: bytes, invoice: bolt11 })
        const expected = ['LSAT', 'L402'].map((scheme) => ({
          scheme,
          macaroon: bytes,
          invoice: bolt11,
        }))
        assert.deepEqual(parseChallenge(lines), expected)
        assert.deepEqual(parseChallenge([lines.join(',')]), expected)
      },
    ),
    { numRuns: 10_000 },
  )
})

test('any lines hold offers or none', () => {
  const piece = fc.constantFrom(
    'L402 ',
    'LSAT',
    ' ',
    ',',
    '=',
    '"',
    '\\',
    'macaroon',
    'token="',
    m,
    'invoice=',
    invoice,
    'Basic x==',
    ...formatChallenge(offer),
  )
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
  )
  let found = 0
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
      const challenges = parseChallenge(lines)
      if (challenges.length > 0) found++
      for (const { scheme, macaroon: bytes, invoice: bolt11 } of challenges) {
        assert.ok(scheme === 'L402' || scheme === 'LSAT')
        assert.ok(bytes.length > 0)
        assert.match(bolt11, /^[a-z0-9]+$/i)
      }
    }),
    { numRuns: 10_000 },
  )
  assert.ok(found > 50, `only ${found} held some`)
})
