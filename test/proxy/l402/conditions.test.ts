import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { checkConditions } from '../../../proxy/l402/conditions.ts'
import { vectors } from './vectors.ts'

const NOW_MS = vectors.now * 1000
const reasonOf = (caveats: readonly string[], service = 'paid') => {
  const conditions = checkConditions(caveats, service, NOW_MS)
  return conditions.name === 'met' ? 'met' : conditions.reason
}

test("the verdicts are Aperture's, but that a token without services opens nothing", () => {
  const seen = { accepted: 0, refused: 0, stricter: 0 }
  for (const { caveats, service, accepted } of vectors.verdicts) {
    const bound = caveats.some((caveat) => caveat.startsWith('services='))
    const reason = reasonOf(caveats, service)
    // Go's clock runs over at the last second of 64 bits, and so calls it past.
    if (caveats.includes('paid_valid_until=9223372036854775807')) continue
    if (!bound) {
      assert.notEqual(reason, 'met')
      seen.stricter++
      continue
    }
    assert.equal(reason === 'met', accepted, `${caveats.join(' | ')} at ${service}: ${reason}`)
    seen[accepted ? 'accepted' : 'refused']++
  }
  assert.ok(seen.accepted > 80 && seen.refused > 80 && seen.stricter > 10, JSON.stringify(seen))
})

test('refusals say why', () => {
  const services = 'services=paid:0'
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[], 'service'],
    [['services=other:0'], 'service'],
    [[services], 'met'],
    [[services, services], 'met'],
    [[services, 'services=paid:0,other:0'], 'caveat'],
    [['services=paid:0,other:0', 'services=other:0'], 'service'],
    [[services, 'services='], 'caveat'],
    [[services, 'paid_valid_until=1799999999'], 'expired'],
    [[services, 'paid_valid_until=1800000000'], 'expired'],
    [[services, 'paid_valid_until=1800000001'], 'met'],
    [[services, 'paid_valid_until=1799999999', 'paid_valid_until=1900000000'], 'caveat'],
    [[services, 'paid_valid_until=soon', 'paid_valid_until=1900000000'], 'caveat'],
    [[services, 'other_valid_until=1'], 'met'],
    [[services, 'paid_capabilities=read,write', 'paid_capabilities=read'], 'met'],
    [[services, 'paid_capabilities=read', 'paid_capabilities=read,write'], 'caveat'],
    [[services, 'paid_capabilities=read', 'paid_capabilities='], 'caveat'],
    [[services, 'paid_capabilities=', 'paid_capabilities=read'], 'caveat'],
    [[services, 'paid_capabilities=', 'paid_capabilities='], 'met'],
    [[services, 'other_capabilities=a', 'other_capabilities=b'], 'met'],
    [['services=paid:1', 'services=paid:0'], 'met'],
    [[services, 'services=paid:1'], 'caveat'],
    [['services=paid:0,paid:3', 'services=paid:3'], 'met'],
    [['services=paid:256'], 'caveat'],
    [[services, 'anything', 'else=1', ''], 'met'],
  ]
  for (const [caveats, expected] of cases) assert.equal(reasonOf(caveats), expected, caveats.join())
})

test('a token ends when its last caveat says so', () => {
  const caveats = ['services=paid:0', 'paid_valid_until=1900000000', 'paid_valid_until=1800000007']
  assert.deepEqual(checkConditions(caveats, 'paid', NOW_MS), {
    name: 'met',
    expiresAtMs: 1_800_000_007_000,
  })
  assert.equal(checkConditions(caveats, 'paid', 1_800_000_006_999).name, 'met')
  assert.equal(checkConditions(caveats, 'paid', 1_800_000_007_000).name, 'unmet')
})

test('names that need escapes are found by their escapes, and by nothing else', () => {
  const caveats = ['services=dyn/a%2Cb:0', 'dyn/a%2Cb_valid_until=1']
  assert.equal(reasonOf(caveats, 'dyn/a,b'), 'expired')
  assert.equal(reasonOf(caveats.slice(0, 1), 'dyn/a,b'), 'met')
  assert.equal(reasonOf(caveats.slice(0, 1), 'dyn/a%2Cb'), 'service')
})

test('no added caveat opens what was closed, or for longer', () => {
  const name = fc.constantFrom('paid', 'other', 'third')
  const entry = fc
    .tuple(name, fc.constantFrom('0', '1', '', 'x'))
    .map(([n, tier]) => `${n}:${tier}`)
  const services = fc.array(entry, { maxLength: 3 }).map((list) => `services=${list.join(',')}`)
  const until = fc
    .tuple(name, fc.oneof(fc.integer({ min: vectors.now - 3, max: vectors.now + 3 }), fc.string()))
    .map(([n, at]) => `${n}_valid_until=${at}`)
  const capabilities = fc
    .tuple(name, fc.array(fc.constantFrom('read', 'write', ''), { maxLength: 3 }))
    .map(([n, list]) => `${n}_capabilities=${list.join(',')}`)
  const caveats = fc.array(fc.oneof(services, until, capabilities, fc.string()), { maxLength: 5 })
  let narrowed = 0
  fc.assert(
    fc.property(services, caveats, caveats, name, (first, more, added, service) => {
      const minted = [first, ...more]
      const before = checkConditions(minted, service, NOW_MS)
      const after = checkConditions([...minted, ...added], service, NOW_MS)
      if (after.name === 'unmet') return
      narrowed++
      assert.equal(before.name, 'met')
      const end = before.name === 'met' ? before.expiresAtMs : undefined
      assert.ok((after.expiresAtMs ?? Infinity) <= (end ?? Infinity))
    }),
    { numRuns: 10_000 },
  )
  assert.ok(narrowed > 50, `only ${narrowed} stayed open`)
})

test('any caveats are met or not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' })),
      fc.string(),
      fc.double(),
      (caveats, service, nowMs) => {
        assert.ok(['met', 'unmet'].includes(checkConditions(caveats, service, nowMs).name))
      },
    ),
    { numRuns: 10_000 },
  )
})
