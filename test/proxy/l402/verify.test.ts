import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { equalBytes, toHex } from '../../../src/base/bytes.ts'
import type { Caveat } from '../../../proxy/l402/caveat.ts'
import { encodeIdentifier } from '../../../proxy/l402/identifier.ts'
import { signMacaroon } from '../../../proxy/l402/macaroon.ts'
import { attenuate, mint } from '../../../proxy/l402/mint.ts'
import { verify, type Verdict } from '../../../proxy/l402/verify.ts'
import { hex, vectors } from './vectors.ts'

const NOW_MS = vectors.now * 1000
const sha256 = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())

const rootKey = new Uint8Array(32).fill(1)
const preimage = new Uint8Array(32).fill(2)
const tokenId = new Uint8Array(32).fill(3)
const paymentHash = sha256(preimage)
const caveats: readonly Caveat[] = [
  { condition: 'services', value: 'paid:0' },
  { condition: 'paid_capabilities', value: 'read,write' },
  { condition: 'paid_valid_until', value: '1900000000' },
]
const { macaroon, identifier } = mint({ rootKey, paymentHash, tokenId, caveats })
const identifierHash = sha256(identifier)
const kept = (hash: Uint8Array) => (equalBytes(hash, identifierHash) ? rootKey : undefined)

function check(
  macaroons: readonly Uint8Array[],
  options: Partial<Parameters<typeof verify>[1]> & { readonly preimage?: Uint8Array } = {},
): Verdict {
  const credential = { macaroons, preimage: options.preimage ?? preimage }
  return verify(credential, { rootKey: kept, service: 'paid', nowMs: NOW_MS, ...options })
}

const outcome = (verdict: Verdict) => (verdict.name === 'valid' ? 'valid' : verdict.reason)

test('a paid token opens its service', () => {
  assert.deepEqual(check([macaroon]), {
    name: 'valid',
    identifierHash,
    tokenId,
    paymentHash,
    expiresAtMs: 1_900_000_000_000,
  })
})

test('tokens that Go minted open it, in both versions', () => {
  for (const token of vectors.tokens.slice(1)) {
    const options = { preimage: hex(token.preimage), rootKey: () => hex(token.rootKey) }
    for (const bytes of [token.v2, token.v1]) {
      const verdict = check([hex(bytes)], options)
      assert.equal(outcome(verdict), 'valid')
      assert.equal(verdict.name === 'valid' && toHex(verdict.tokenId), token.tokenId)
    }
  }
})

test('refusals say why', () => {
  const other = attenuate(macaroon, [{ condition: 'services', value: 'other:0' }])
  const past = attenuate(macaroon, [{ condition: 'paid_valid_until', value: '1799999999' }])
  const wider = attenuate(macaroon, [{ condition: 'paid_capabilities', value: 'admin' }])
  const forged = mint({ rootKey: tokenId, paymentHash, tokenId, caveats }).macaroon
  const third = hex(vectors.parsings.find((p) => p.caveats?.[0] === 'third party')?.bytes ?? '')
  const short = signMacaroon(rootKey, identifier.subarray(1), ['services=paid:0'])
  const version = Uint8Array.from(identifier).fill(1, 1, 2)
  const cases: readonly (readonly [Verdict, string])[] = [
    [check([]), 'malformed'],
    [check([new Uint8Array()]), 'malformed'],
    [check([third]), 'malformed'],
    [check([short]), 'malformed'],
    [check([signMacaroon(rootKey, version, ['services=paid:0'])]), 'malformed'],
    [check([macaroon], { preimage: tokenId }), 'preimage'],
    [check([macaroon], { preimage: new Uint8Array() }), 'preimage'],
    [check([macaroon], { preimage: paymentHash }), 'preimage'],
    [check([macaroon], { rootKey: () => undefined }), 'unknown'],
    [check([forged]), 'signature'],
    [check([macaroon], { rootKey: () => preimage }), 'signature'],
    [check([wider]), 'caveat'],
    [check([other]), 'caveat'],
    [check([macaroon], { service: 'other' }), 'service'],
    [check([past]), 'expired'],
    [check([macaroon], { nowMs: 1_900_000_000_000 }), 'expired'],
  ]
  for (const [verdict, reason] of cases) assert.equal(outcome(verdict), reason)
})

test("a third party's caveat is refused even where the rest is right", () => {
  const id = encodeIdentifier({ paymentHash, tokenId })
  const plain = signMacaroon(rootKey, id, ['services=paid:0'])
  // Tag 4 makes it a third party's: the verification id.
  const section = Uint8Array.from([2, 1, 0x78, 4, 1, 0x79, 0])
  const end = plain.length - 35
  const withThird = Uint8Array.from([...plain.subarray(0, end), ...section, ...plain.subarray(end)])
  assert.equal(outcome(check([withThird])), 'caveat')
})

test('of several macaroons any will do, and the one that came furthest gives the reason', () => {
  const past = attenuate(macaroon, [{ condition: 'paid_valid_until', value: '1' }])
  assert.equal(outcome(check([new Uint8Array(9), past, macaroon])), 'valid')
  assert.equal(outcome(check([macaroon, new Uint8Array(9)])), 'valid')
  assert.equal(outcome(check([new Uint8Array(9), past, tokenId])), 'expired')
})

test('nobody is asked for the root key of what was not paid', () => {
  let asked = 0
  const rootKeyOf = () => {
    asked++
    return rootKey
  }
  check([macaroon], { preimage: tokenId, rootKey: rootKeyOf })
  check([macaroon.subarray(1)], { rootKey: rootKeyOf })
  assert.equal(asked, 0)
  check([macaroon], { rootKey: rootKeyOf })
  assert.equal(asked, 1)
})

test('a store that fails is heard of', () => {
  const rootKeyOf = () => {
    throw new RangeError('disk')
  }
  assert.throws(() => check([macaroon], { rootKey: rootKeyOf }), RangeError)
})

test('a token with any bit changed, but for its location, opens nothing', () => {
  const start = 2 + 1 + 'lsat'.length
  for (let at = 0; at < macaroon.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const tampered = Uint8Array.from(macaroon)
      tampered[at] = (tampered[at] ?? 0) ^ (1 << bit)
      const verdict = check([tampered], { rootKey: () => rootKey })
      // The location is signed by nobody; it is read by nobody either.
      if (verdict.name === 'valid') assert.ok(at >= 3 && at < start, `byte ${at}, bit ${bit}`)
    }
  }
})

test('a token cut anywhere, or with bytes behind it, opens nothing', () => {
  for (let length = 0; length < macaroon.length; length++) {
    assert.equal(outcome(check([macaroon.subarray(0, length)])), 'malformed')
  }
  assert.equal(outcome(check([Uint8Array.from([...macaroon, 0])])), 'malformed')
  assert.equal(outcome(check([Uint8Array.from([...macaroon, ...macaroon])])), 'malformed')
})

test('a caveat that is taken off again leaves no valid token', () => {
  const narrowed = attenuate(macaroon, [{ condition: 'services', value: 'other:0' }])
  const widened = Uint8Array.from([
    ...macaroon.subarray(0, -32),
    ...narrowed.subarray(narrowed.length - 32),
  ])
  assert.equal(outcome(check([widened])), 'signature')
})

test('added caveats never open what was closed, or for longer', () => {
  const condition = fc.constantFrom('services', 'paid_valid_until', 'paid_capabilities', 'region')
  const value = fc.constantFrom(
    'paid:0',
    'other:0',
    'paid:0,other:0',
    'paid:1',
    '1900000000',
    '1800000001',
    '1999999999',
    'read',
    'read,write,admin',
    '',
  )
  const added = fc.array(fc.record({ condition, value }), { maxLength: 4 })
  let open = 0
  fc.assert(
    fc.property(added, fc.constantFrom('paid', 'other'), (more, service) => {
      const verdict = check([attenuate(macaroon, more)], { service })
      if (verdict.name !== 'valid') return
      open++
      assert.equal(service, 'paid')
      assert.ok((verdict.expiresAtMs ?? Infinity) <= 1_900_000_000_000)
    }),
    { numRuns: 2_000 },
  )
  assert.ok(open > 50, `only ${open} stayed open`)
})

test('any bytes are refused, never thrown over', () => {
  const seeds = [macaroon, ...vectors.tokens.map(({ v1 }) => hex(v1))]
  const damaged = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(400), fc.nat(255))
    .map(([seed, at, value]) => seed.with(at % seed.length, value))
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array(), damaged), { maxLength: 3 }),
      fc.oneof(fc.uint8Array(), fc.constant(preimage)),
      (macaroons, shown) => {
        const verdict = check(macaroons, { preimage: shown, rootKey: () => rootKey })
        if (verdict.name === 'valid') assert.deepEqual(verdict.identifierHash, identifierHash)
      },
    ),
    { numRuns: 10_000 },
  )
})
