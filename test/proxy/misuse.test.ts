import assert from 'node:assert/strict'
import test from 'node:test'
import fastify from 'fastify'
import {
  Allowance,
  Freebies,
  paywall,
  type PaywallOptions,
  RateLimiter,
} from '../../proxy/index.ts'

const whole: Record<string, unknown> = {
  snapshot: () => assert.fail('nothing is asked for'),
  invoices: { invoice: () => {}, settled: () => {}, preimage: () => {} },
  tokens: { add: () => {}, rootKey: () => {}, paid: () => {}, onRevoked: () => () => {} },
  allowance: new Allowance({ perMs: 1, perAddress: 0, perService: 0, total: 0 }),
  freebies: new Freebies(),
  rateLimits: new RateLimiter(),
  rememberedTokens: 10,
}

async function start(options: object): Promise<void> {
  const app = fastify()
  await app.register(paywall, options as PaywallOptions)
  await app.close()
}

test('a paywall without all that it is made of says what is missing before it serves', async () => {
  await start(whole)
  await assert.rejects(start({}), { name: 'TypeError', message: /^snapshot is a function, not/ })
  for (const name of Object.keys(whole)) {
    const message = new RegExp(`^${name} is .*, not`)
    await assert.rejects(start({ ...whole, [name]: undefined }), { name: 'TypeError', message })
    await assert.rejects(start({ ...whole, [name]: Promise.resolve() }), {
      name: 'TypeError',
      message: /is an await missing\?/,
    })
  }
  await assert.rejects(start({ ...whole, rememberedTokens: Infinity }), { name: 'TypeError' })
})
