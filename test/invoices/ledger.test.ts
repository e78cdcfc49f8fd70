/**
 * Whatever happens to node, disk and process: no two clients see the same invoice, and whatever a client
 * pays is counted once.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { toHex } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openInvoices, type Invoices } from '../../src/invoices.ts'
import { MemoryStore } from './memory-store.ts'
import { pass, settle, withPool } from './stage.ts'
import { VirtualNode, VirtualNodes } from './virtual-node.ts'

const PRICES = [1_000n, 2_000n, 3_000n]

type Turn =
  | { readonly do: 'ask'; readonly price: number; readonly times: number }
  | { readonly do: 'pay'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'commit'; readonly count: number }
  | { readonly do: 'leave' | 'come back' | 'break stream' | 'refuse calls' | 'allow calls' }
  | { readonly do: 'break disk' | 'mend disk' | 'crash' | 'restart' | 'foreign' }

const turn: fc.Arbitrary<Turn> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      price: fc.nat(PRICES.length - 1),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pay' as const), which: fc.nat(50) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 150, 300, 1_000, 20_000, 3_600_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      count: fc.constantFrom(1, 3, 8, 100),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'leave' as const,
        'come back' as const,
        'break stream' as const,
        'refuse calls' as const,
        'allow calls' as const,
        'break disk' as const,
        'mend disk' as const,
        'crash' as const,
        'restart' as const,
        'foreign' as const,
      ),
    }),
  },
)

/** A hub with its node, its disk and its clients, over several lives of the process. */
class World {
  readonly clock = new ManualClock()
  readonly node = new VirtualNode('alice', this.clock)
  readonly nodes = new VirtualNodes(this.node)
  /** Payment hashes that clients have seen, in order. */
  readonly seen: Uint8Array[] = []
  readonly paid = new Set<string>()
  store = new MemoryStore()
  invoices: Invoices
  #life = 0

  constructor(roundTripMs: number) {
    this.node.roundTripMs = () => roundTripMs
    // The node has been used before.
    this.node.create(5n)
    this.store.autoCommit = false
    this.invoices = this.#open()
  }

  #open(): Invoices {
    const heard = new Set<string>()
    const invoices = openInvoices({
      nodes: this.nodes,
      pool: this.store,
      settle: this.store,
      options: withPool({ perprice: 8, total: 12 }),
      clock: this.clock,
      log: silentLog,
      random: () => 0.5,
    })
    invoices.onSettled(({ paymentHash }) => {
      const id = toHex(paymentHash)
      assert.ok(!heard.has(id), 'told twice of a payment')
      heard.add(id)
    })
    return invoices
  }

  /** As the paywall does it: the invoice leaves the house once its token is on disk. */
  async #client(price: bigint): Promise<void> {
    const life = this.#life
    const { store } = this
    try {
      const { paymentHash, amountMsat, expiresAtMs } = await this.invoices.invoice({
        amountMsat: price,
        node: undefined,
      })
      await store.sell(paymentHash)
      if (life !== this.#life) return
      assert.equal(amountMsat, price)
      assert.ok(expiresAtMs > this.clock.wall(), 'an expired invoice')
      assert.equal(this.node.invoices.get(toHex(paymentHash))?.amountMsat, price)
      const twice = this.seen.some((other) => toHex(other) === toHex(paymentHash))
      assert.ok(!twice, 'an invoice was given out twice')
      this.seen.push(paymentHash)
    } catch (reason) {
      if (reason instanceof assert.AssertionError) this.failure ??= reason
    }
  }

  failure: Error | undefined

  async #restart(): Promise<void> {
    this.#life++
    const old = this.invoices
    this.store = this.store.reopened()
    this.invoices = this.#open()
    // The one that crashed is gone; its writes reach no disk any more.
    void old.close()
    await settle()
  }

  async take(step: Turn): Promise<void> {
    const { node, store } = this
    switch (step.do) {
      case 'ask':
        for (let n = 0; n < step.times; n++) void this.#client(PRICES[step.price] ?? 1_000n)
        break
      case 'pay': {
        const hash = this.seen[step.which % Math.max(1, this.seen.length)]
        if (!hash) break
        node.settle(hash)
        this.paid.add(toHex(hash))
        break
      }
      case 'pass':
        await pass(this.clock, step.ms)
        break
      case 'commit':
        store.commit(step.count)
        break
      case 'leave':
        node.leave()
        break
      case 'come back':
        node.comeBack()
        break
      case 'break stream':
        node.breakStreams()
        break
      case 'refuse calls':
        node.addFails = () => new Error('refused')
        break
      case 'allow calls':
        node.addFails = () => undefined
        break
      case 'break disk':
        store.fails = new Error('the disk is broken')
        break
      case 'mend disk':
        store.fails = undefined
        break
      case 'crash':
        store.fails = undefined
        await this.#restart()
        break
      case 'restart':
        store.fails = undefined
        store.autoCommit = true
        store.commit()
        await this.invoices.close()
        store.commit()
        await this.#restart()
        this.store.autoCommit = false
        break
      case 'foreign':
        node.settle(node.create(9n).paymentHash)
        break
    }
    await settle()
    if (this.failure) throw this.failure
  }

  /** Everything works again, and time passes. */
  async end(): Promise<void> {
    const { store, node } = this
    store.fails = undefined
    node.addFails = () => undefined
    store.autoCommit = true
    store.commit()
    node.comeBack()
    await pass(this.clock, 120_000)
    await this.invoices.close()
    if (this.failure) throw this.failure
    for (const id of this.paid) assert.equal(store.disk.sales.get(id), true, 'a payment was lost')
    assert.deepEqual(store.disk.countedTwice, [])
  }
}

test('given out once, counted once', async () => {
  let seen = 0
  let paid = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(turn, { minLength: 20, maxLength: 80, size: 'max' }),
      fc.constantFrom(0, 300),
      async (turns, roundTripMs) => {
        const world = new World(roundTripMs)
        for (const one of turns) await world.take(one)
        await world.end()
        seen += world.seen.length
        paid += world.paid.size
      },
    ),
    { numRuns: 100, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
  )
  assert.ok(seen > 500 && paid > 100, `the runs came to nothing: ${seen} seen, ${paid} paid`)
})

test('a payment in a gap is found although the disk was broken when the first invoice was made', async () => {
  const world = new World(0)
  const turns: readonly Turn[] = [
    { do: 'break disk' },
    { do: 'ask', price: 0, times: 1 },
    { do: 'mend disk' },
    { do: 'break stream' },
    { do: 'ask', price: 0, times: 1 },
    { do: 'commit', count: 100 },
    { do: 'pay', which: 0 },
    { do: 'leave' },
    { do: 'restart' },
  ]
  for (const one of turns) await world.take(one)
  assert.equal(world.paid.size, 1)
  await world.end()
})

test('a payment in a gap is found although the settlement before it was heard but not yet stored', async () => {
  const world = new World(0)
  const turns: readonly Turn[] = [
    { do: 'pass', ms: 0 },
    { do: 'foreign' },
    { do: 'ask', price: 0, times: 1 },
    { do: 'commit', count: 100 },
    { do: 'leave' },
    { do: 'pay', which: 0 },
    { do: 'crash' },
  ]
  for (const one of turns) await world.take(one)
  assert.equal(world.paid.size, 1)
  await world.end()
})
