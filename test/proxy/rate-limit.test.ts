import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Registry } from 'prom-client'
import fc from '../fast-check.ts'
import { compilePattern } from '../../proxy/pattern.ts'
import { RateLimiter } from '../../proxy/rate-limit.ts'
import { registerRateLimits } from '../../proxy/rate-limit-metrics.ts'
import type { RateLimit } from '../../proxy/service.ts'
import { service } from './services.ts'

const rule = (requests: number, perMs: number, burst = requests, path = ''): RateLimit => ({
  path: path === '' ? undefined : compilePattern(path),
  requests,
  perMs,
  burst,
})
const limited = (...rateLimits: readonly RateLimit[]) => service({ rateLimits })

describe('rate limits', () => {
  test('a bucket is full at first and fills with time', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(2, 1_000))
    const at = (ms: number) => limiter.check(paid, '/', 'ip:a', ms)
    assert.deepEqual(at(0), { allowed: true })
    assert.deepEqual(at(0), { allowed: true })
    assert.deepEqual(at(0), { allowed: false, retryAfterMs: 500 })
    assert.deepEqual(at(400), { allowed: false, retryAfterMs: 100 })
    assert.deepEqual(at(500), { allowed: true })
    assert.deepEqual(at(500), { allowed: false, retryAfterMs: 500 })
    assert.deepEqual(at(60_000), { allowed: true })
    assert.deepEqual(at(60_000), { allowed: true })
    assert.equal(at(60_000).allowed, false)
  })

  test('clients, services and rules have buckets of their own', () => {
    const limiter = new RateLimiter()
    const one = limited(rule(1, 1_000, 1, '^/a'))
    const two = service({ name: 'two', rateLimits: one.rateLimits })
    assert.equal(limiter.check(one, '/a', 'ip:a', 0).allowed, true)
    assert.equal(limiter.check(one, '/a', 'ip:a', 0).allowed, false)
    assert.equal(limiter.check(one, '/b', 'ip:a', 0).allowed, true)
    assert.equal(limiter.check(one, '/a', 'ip:b', 0).allowed, true)
    assert.equal(limiter.check(two, '/a', 'ip:a', 0).allowed, true)
    assert.equal(limiter.check(service(), '/a', 'ip:a', 0).allowed, true)
  })

  test('two rules with one pattern have a bucket each, alike or not', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(2, 1_000), rule(3, 60_000))
    const allowed = [0, 0, 1_000, 2_000, 3_000].map(
      (ms) => limiter.check(paid, '/', 'ip:a', ms).allowed,
    )
    assert.deepEqual(allowed, [true, true, true, false, false])
    // Twins are taken from once each, not twice.
    const twins = limited(rule(2, 1_000, 2, '^/t'), rule(2, 1_000, 2, '^/t'))
    const taken = [0, 0, 0].map((ms) => limiter.check(twins, '/t', 'ip:b', ms).allowed)
    assert.deepEqual(taken, [true, true, false])
  })

  test('buckets and those that made room are shown by service, under the names of Aperture', async () => {
    const limiter = new RateLimiter()
    const registry = new Registry()
    registerRateLimits(limiter, registry)
    const paid = limited(rule(1, 1_000))
    const other = service({ name: 'other', rateLimits: paid.rateLimits })
    for (let client = 0; client < 10_003; client++) limiter.check(paid, '/', `ip:${client}`, 0)
    limiter.check(other, '/', 'ip:a', 0)
    const figures = async () =>
      (await registry.metrics()).split('\n').filter((line) => /^\w/.test(line))
    assert.deepEqual(await figures(), [
      'aperture_ratelimit_cache_size{service="paid"} 10000',
      'aperture_ratelimit_cache_size{service="other"} 1',
      'aperture_ratelimit_evictions_total{service="paid"} 3',
      'aperture_ratelimit_evictions_total{service="other"} 0',
    ])
    limiter.prune(5_000)
    const [size, , evicted] = await figures()
    assert.equal(size, 'aperture_ratelimit_cache_size{service="paid"} 0')
    assert.equal(evicted, 'aperture_ratelimit_evictions_total{service="paid"} 3')
  })

  test('a refused request costs no rule a token', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(2, 60_000, 2), rule(1, 60_000, 1, '^/slow'))
    assert.equal(limiter.check(paid, '/slow', 'ip:a', 0).allowed, true)
    for (let i = 0; i < 5; i++) assert.equal(limiter.check(paid, '/slow', 'ip:a', 0).allowed, false)
    assert.equal(limiter.check(paid, '/fast', 'ip:a', 0).allowed, true)
    assert.equal(limiter.check(paid, '/fast', 'ip:a', 0).allowed, false)
  })

  test('the wait is that of the slowest rule', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(1, 1_000), rule(1, 5_000))
    limiter.check(paid, '/', 'ip:a', 0)
    assert.deepEqual(limiter.check(paid, '/', 'ip:a', 0), { allowed: false, retryAfterMs: 5_000 })
  })

  test('buckets outlive a reload that leaves their rule alone', () => {
    const limiter = new RateLimiter()
    limiter.check(limited(rule(1, 60_000)), '/', 'ip:a', 0)
    const reloaded = limited(rule(5, 1_000), rule(1, 60_000))
    assert.equal(limiter.check(reloaded, '/', 'ip:a', 0).allowed, false)
    assert.equal(limiter.check(limited(rule(2, 60_000)), '/', 'ip:a', 0).allowed, true)
  })

  test('10,000 buckets are kept for a service', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(1, 60_000))
    for (let i = 0; i < 10_001; i++) limiter.check(paid, '/', `ip:${i}`, 0)
    assert.equal(limiter.size, 10_000)
    assert.equal(limiter.check(paid, '/', 'ip:10000', 0).allowed, false)
    assert.equal(limiter.check(paid, '/', 'ip:0', 0).allowed, true, 'the oldest was kept')
  })

  test('full buckets are forgotten without a difference', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(1, 1_000))
    limiter.check(paid, '/', 'ip:a', 0)
    limiter.check(paid, '/', 'ip:b', 500)
    limiter.prune(1_000)
    assert.equal(limiter.size, 1)
    assert.equal(limiter.check(paid, '/', 'ip:b', 1_000).allowed, false)
    limiter.prune(1_500)
    assert.equal(limiter.size, 0)
  })

  test('a clock that goes back fills nothing', () => {
    const limiter = new RateLimiter()
    const paid = limited(rule(1, 1_000))
    limiter.check(paid, '/', 'ip:a', 5_000)
    limiter.check(paid, '/', 'ip:a', 1_000)
    assert.equal(limiter.check(paid, '/', 'ip:a', 5_900).allowed, false)
    assert.equal(limiter.check(paid, '/', 'ip:a', 6_000).allowed, true)
  })

  /** golang.org/x/time/rate: `advance` and `reserveN(now, 1)`, of which all or none are kept. */
  class Model {
    readonly #limits: readonly { rate: number; burst: number; tokens: number; last: number }[]

    constructor(rules: readonly RateLimit[]) {
      this.#limits = rules.map(({ requests, perMs, burst }) => {
        return { rate: requests / perMs, burst, tokens: burst, last: 0 }
      })
    }

    check(nowMs: number): number {
      const next = this.#limits.map((limit) => {
        const tokens = limit.tokens + (nowMs - limit.last) * limit.rate
        return Math.min(limit.burst, tokens) - 1
      })
      const wait = Math.max(
        ...next.map((left, i) => (left < 0 ? -left / (this.#limits[i]?.rate ?? 1) : 0)),
      )
      if (wait > 1e-6) return wait
      this.#limits.forEach((limit, i) => Object.assign(limit, { tokens: next[i], last: nowMs }))
      return 0
    }
  }

  test('buckets fill as those of x/time/rate', () => {
    const anyRule = fc
      .record({
        requests: fc.integer({ min: 1, max: 50 }),
        per: fc.integer({ min: 1, max: 100_000 }),
        burst: fc.integer({ min: 1, max: 20 }),
      })
      .map(({ requests, per, burst }) => rule(requests, per, burst))
    const property = fc.property(
      fc.array(anyRule, { minLength: 1, maxLength: 3 }),
      fc.array(fc.oneof(fc.constant(0), fc.nat(5_000)), { maxLength: 60 }),
      (rules, steps) => {
        const limiter = new RateLimiter()
        const paid = limited(...rules)
        const model = new Model(rules)
        let nowMs = 0
        for (const step of steps) {
          nowMs += step
          const verdict = limiter.check(paid, '/', 'ip:a', nowMs)
          const wait = model.check(nowMs)
          const got = verdict.allowed ? 0 : verdict.retryAfterMs
          assert.ok(Math.abs(got - wait) < 0.01, `${got} ms, not ${wait} ms`)
          // Who waits as long as told is let through.
          if (!verdict.allowed && step % 2 === 1) {
            nowMs += verdict.retryAfterMs
            assert.equal(limiter.check(paid, '/', 'ip:a', nowMs).allowed, true)
            assert.ok(model.check(nowMs + 1e-6) < 0.01)
          }
        }
      },
    )
    fc.assert(property, { numRuns: 2_000 })
  })
})
