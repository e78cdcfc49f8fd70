import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from '../fast-check.ts'
import { Allowance, type AllowanceLimits } from '../../proxy/allowance.ts'
import { addressPrefix } from '../../proxy/client-address.ts'

const PER_MS = 60_000
const limits = (more: Partial<AllowanceLimits>): AllowanceLimits => {
  return { perMs: PER_MS, perAddress: 0, perService: 0, total: 0, ...more }
}

/** Takes `count` and says how many were granted. */
function granted(allowance: Allowance, count: number, address = '192.0.2.1', name = 's', ms = 0) {
  let got = 0
  for (let i = 0; i < count; i++) if (allowance.take(address, name, ms).granted) got++
  return got
}

describe('allowance of invoices', () => {
  test('each address has its share', () => {
    const allowance = new Allowance(limits({ perAddress: 3 }))
    assert.equal(granted(allowance, 5), 3)
    assert.equal(granted(allowance, 5, '192.0.2.1', 'other'), 0)
    assert.equal(granted(allowance, 5, '192.0.2.2'), 3)
    assert.equal(granted(allowance, 5, '2001:db8::1'), 3)
    assert.equal(granted(allowance, 5, '2001:db8::ffff:0:0:2'), 0, 'the same /64')
    assert.equal(granted(allowance, 5, '2001:db8:0:1::1'), 3)
  })

  test('each service and the hub have theirs, and what is refused costs nothing', () => {
    const allowance = new Allowance(limits({ perAddress: 10, perService: 3, total: 5 }))
    assert.equal(granted(allowance, 4, '192.0.2.1', 'a'), 3)
    const service = allowance.take('192.0.2.2', 'a', 0)
    assert.deepEqual({ ...service }, { granted: false, retryAfterMs: 63_750, scope: 'service' })
    assert.equal(granted(allowance, 4, '192.0.2.2', 'b'), 2)
    const total = allowance.take('192.0.2.3', 'c', 0)
    assert.equal(!total.granted && total.scope, 'total')
    assert.equal(granted(allowance, 9, '192.0.2.1', 'c', 63_750), 3)
  })

  test('0 is no limit', () => {
    const allowance = new Allowance(limits({}))
    assert.equal(granted(allowance, 10_000), 10_000)
    assert.equal(allowance.size, 0)
  })

  test('who waits as long as told is served', () => {
    const allowance = new Allowance(limits({ perAddress: 2 }))
    granted(allowance, 1, '192.0.2.1', 's', 1_000)
    granted(allowance, 1, '192.0.2.1', 's', 30_000)
    const verdict = allowance.take('192.0.2.1', 's', 31_000)
    assert.ok(!verdict.granted)
    assert.equal(verdict.scope, 'address')
    assert.ok(verdict.retryAfterMs >= 30_000 && verdict.retryAfterMs <= (PER_MS * 17) / 16)
    const back = 31_000 + verdict.retryAfterMs
    assert.equal(granted(allowance, 1, '192.0.2.1', 's', back - 1), 0)
    assert.equal(granted(allowance, 2, '192.0.2.1', 's', back), 1)
  })

  test('what is given back can be taken again, once', () => {
    const allowance = new Allowance(limits({ perAddress: 1, perService: 1, total: 1 }))
    const first = allowance.take('192.0.2.1', 's', 0)
    assert.ok(first.granted)
    assert.equal(granted(allowance, 1), 0)
    first.giveBack()
    first.giveBack()
    assert.equal(granted(allowance, 2), 1)
    first.giveBack()
    assert.equal(granted(allowance, 1), 0)
    // Long after, it is over anyway.
    assert.equal(granted(allowance, 2, '192.0.2.1', 's', 2 * PER_MS), 1)
    first.giveBack()
    assert.equal(granted(allowance, 1, '192.0.2.1', 's', 2 * PER_MS), 0)
  })

  test('new limits hold for what was made before', () => {
    const allowance = new Allowance(limits({ perAddress: 5 }))
    assert.equal(granted(allowance, 3), 3)
    allowance.limits = limits({ perAddress: 2 })
    assert.equal(granted(allowance, 1), 0)
    allowance.limits = limits({ perAddress: 4 })
    assert.equal(granted(allowance, 3), 1)
    allowance.limits = limits({ perAddress: 4, perMs: 1_000 })
    assert.equal(granted(allowance, 5), 4)
  })

  test('addresses that are done with are forgotten, and no more than 100,000 are kept', () => {
    const allowance = new Allowance(limits({ perAddress: 1 }))
    const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    for (let i = 0; i < 100_100; i++) allowance.take(address(i), 's', 0)
    assert.equal(allowance.size, 100_000)
    assert.equal(granted(allowance, 1, address(100_099)), 0)
    for (let i = 0; i < 100_000; i++) allowance.take(address(i), 's', 2 * PER_MS + i)
    assert.ok(allowance.size <= 100_000)
    for (let i = 0; i < 200_000; i++) allowance.take('192.0.2.1', 's', 10 * PER_MS + 2 * PER_MS * i)
    assert.equal(allowance.size, 1)
  })

  const ADDRESSES = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:1::1']
  const step = fc.record({
    address: fc.constantFrom(...ADDRESSES),
    service: fc.constantFrom('a', 'b', 'c'),
    afterMs: fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(100_000)),
    giveBack: fc.option(fc.nat(30), { nil: undefined }),
  })
  const share = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 8 }))

  test('no stretch of time holds more than was allowed, in whatever order things happen', () => {
    const property = fc.property(
      fc.record({ perAddress: share, perService: share, total: share }),
      fc.array(step, { minLength: 20, maxLength: 150 }),
      (shares, steps) => {
        const allowance = new Allowance(limits(shares))
        const made: { prefix: string; service: string; atMs: number; giveBack: () => void }[] = []
        let nowMs = 12_345
        for (const { address, service, afterMs, giveBack } of steps) {
          nowMs += afterMs
          if (giveBack !== undefined) made.splice(giveBack, 1)[0]?.giveBack()
          const prefix = addressPrefix(address, 32, 64)
          const within = (ms: number) => made.filter(({ atMs }) => nowMs - atMs <= ms)
          const over = (ms: number) => {
            const lately = within(ms)
            const ofPrefix = lately.filter((one) => one.prefix === prefix).length
            const ofService = lately.filter((one) => one.service === service).length
            const { perAddress, perService, total } = shares
            return (
              (perAddress > 0 && ofPrefix >= perAddress) ||
              (perService > 0 && ofService >= perService) ||
              (total > 0 && lately.length >= total)
            )
          }
          const verdict = allowance.take(address, service, nowMs)
          if (verdict.granted) {
            assert.ok(!over(PER_MS), 'more than allowed')
            made.push({ prefix, service, atMs: nowMs, giveBack: () => verdict.giveBack() })
          } else {
            assert.ok(over((PER_MS * 17) / 16), 'refused without need')
            assert.ok(verdict.retryAfterMs > 0 && verdict.retryAfterMs <= (PER_MS * 17) / 16)
          }
        }
      },
    )
    fc.assert(property, { numRuns: 1_000 })
  })
})
