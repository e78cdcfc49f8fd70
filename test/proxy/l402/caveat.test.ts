import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import {
  caveatName,
  formatCaveat,
  parseCaveat,
  serviceCaveats,
  type MintedService,
} from '../../../proxy/l402/caveat.ts'

const paid: MintedService = { name: 'paid', capabilities: '', constraints: [], timeoutSeconds: 0 }

test('a caveat is split at its first "="', () => {
  assert.deepEqual(parseCaveat('plan=gold=1'), { condition: 'plan', value: 'gold=1' })
  assert.deepEqual(parseCaveat('='), { condition: '', value: '' })
  assert.equal(parseCaveat('plain'), undefined)
  assert.equal(parseCaveat(''), undefined)
})

test('a condition with "=" is a mistake', () => {
  assert.throws(() => formatCaveat({ condition: 'a=b', value: '' }), TypeError)
})

test('any text is a caveat or none, and comes back the same', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z]*=.*$/)), (text) => {
      const caveat = parseCaveat(text)
      assert.equal(caveat ? formatCaveat(caveat) : text, text)
      assert.equal(caveat === undefined, !text.includes('='))
    }),
    { numRuns: 10_000 },
  )
})

test("a service's caveats are Aperture's, in its order", () => {
  const service = {
    ...paid,
    capabilities: 'read,write',
    constraints: [
      ['region', 'eu'],
      ['plan', 'gold=1'],
    ],
    timeoutSeconds: 3600,
  } as const
  assert.deepEqual(serviceCaveats(service, 1_800_000_000.9).map(formatCaveat), [
    'services=paid:0',
    'paid_capabilities=read,write',
    'region=eu',
    'plan=gold=1',
    'paid_valid_until=1800003600',
  ])
})

test('without a timeout a token has no end; capabilities are named even when there are none', () => {
  assert.deepEqual(serviceCaveats(paid, 0).map(formatCaveat), [
    'services=paid:0',
    'paid_capabilities=',
  ])
})

test('a name cannot end the place that it stands in', () => {
  const service = { ...paid, name: 'dyn/a,b:1=c d%2C', timeoutSeconds: 1 }
  assert.deepEqual(serviceCaveats(service, 0).map(formatCaveat), [
    'services=dyn/a%2Cb%3A1%3Dc%20d%252C:0',
    'dyn/a%2Cb%3A1%3Dc%20d%252C_capabilities=',
    'dyn/a%2Cb%3A1%3Dc%20d%252C_valid_until=1',
  ])
})

test('two names are never written alike, and usual ones as they are', () => {
  assert.equal(caveatName('dyn/price-21/größe_~x'), 'dyn/price-21/größe_~x')
  const name = fc.string({ unit: fc.constantFrom('%', ',', ':', '=', '2', 'C', 'a', ' ') })
  fc.assert(
    fc.property(name, name, (a, b) => {
      assert.equal(caveatName(a) === caveatName(b), a === b)
      assert.doesNotMatch(caveatName(a), /[,:= ]/)
    }),
    { numRuns: 10_000 },
  )
})
