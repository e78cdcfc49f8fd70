import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { toHex } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { isPinholeError, PinholeError } from '../../src/base/errors.ts'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import {
  type BoughtToken,
  type BoughtTokens,
  formatToken,
  parseToken,
} from '../../src/client/bought-token.ts'
import { authorizationOf, Buyer } from '../../src/client/buyer.ts'
import { exchange } from '../../src/client/exchange.ts'
import type { Wallet } from '../../src/client/wallet.ts'
import { formatChallenge } from '../../proxy/l402/challenge.ts'
import { isPaid, Ledger, offerOf } from './shop.ts'

/** What ends the process of a simulated client. */
class Crash extends Error {}

/** A client's world that a crash leaves as it is: what is on its disk, and what its node has paid. */
class World {
  readonly shop = {
    ledger: new Ledger(),
    rootKeys: new Map<string, Uint8Array>(),
    priceMsat: 10_000n,
    expirySeconds: 3_600,
  }
  readonly clock = new ManualClock(Date.now())
  readonly disk = new Map<string, string>()
  /** Steps left until the crash. */
  #fuse = Infinity

  /** One request of a process that lives for `steps` steps. */
  async request(steps: number, canLookUp: boolean, fault: Fault): Promise<'served' | 'not'> {
    this.#fuse = steps
    const purse = {
      wallet: this.#wallet(canLookUp, fault),
      tokens: this.#tokens(),
      maxMsat: 10_000n,
      clock: this.clock,
    }
    const target = { origin: 'http://shop', path: '/a' }
    try {
      return await exchange(new Buyer(purse), target, async (authorization) => {
        this.#step()
        const rawHeaders = authorization === undefined ? [] : ['authorization', authorization]
        if (isPaid(this.shop, { rawHeaders }, 'a')) return { response: 'served', unpaid: undefined }
        return {
          response: 'not',
          unpaid: formatChallenge(offerOf(this.shop, 'a', this.clock.wall())),
        }
      })
    } catch (error) {
      if (error instanceof Crash || isPinholeError(error)) return 'not'
      throw error
    }
  }

  #step(): void {
    if (--this.#fuse < 0) throw new Crash()
  }

  #tokens(): BoughtTokens {
    const name = ({ paymentHash }: BoughtToken) => toHex(paymentHash)
    return {
      list: async (origin) => {
        this.#step()
        return [...this.disk.values()].map(parseToken).filter((token) => token.origin === origin)
      },
      put: async (token) => {
        this.#step()
        this.disk.set(name(token), formatToken(token))
        this.#step()
      },
      remove: async (token) => {
        this.#step()
        this.disk.delete(name(token))
        this.#step()
      },
    }
  }

  #wallet(canLookUp: boolean, fault: Fault): Wallet {
    const { ledger } = this.shop
    const pay = async (invoice: string) => {
      this.#step()
      // What has been paid is not refused: that is a wallet's promise.
      const isOpen = ledger.state(decodeInvoice(invoice).paymentHash).name === 'unknown'
      if (fault === 'refused' && isOpen) throw new PinholeError('ERR_PAYMENT_FAILED', 'no route')
      if (fault === 'lost before') throw new Error('the connection was lost')
      const payment = ledger.pay(invoice)
      this.#step()
      if (fault === 'lost after') throw new Error('the connection was lost')
      return payment
    }
    if (!canLookUp) return { pay }
    const lookup = async (hash: Uint8Array) => {
      this.#step()
      return ledger.state(hash)
    }
    return { pay, lookup }
  }
}

type Fault = 'none' | 'refused' | 'lost before' | 'lost after'
const FAULTS: readonly Fault[] = ['none', 'refused', 'lost before', 'lost after']

const run = fc.record({
  steps: fc.oneof(fc.nat(14), fc.constant(Infinity)),
  fault: fc.constantFrom(...FAULTS),
  /** Hours that pass before; invoices last for one. */
  waits: fc.constantFrom(0, 0, 0, 2),
})

test('wherever a client crashes and whatever its wallet does, one token costs once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { maxLength: 8 }), fc.boolean(), async (runs, canLookUp) => {
      const world = new World()
      for (const { steps, fault, waits } of runs) {
        // Only who can ask what became of an old payment is sure to get on after its invoice has expired.
        if (canLookUp) world.clock.advance(waits * 3_600_000)
        await world.request(steps, canLookUp, fault)
        assert.ok(
          world.shop.ledger.payments.length <= 1,
          `paid ${world.shop.ledger.payments.length}`,
        )
      }
      assert.equal(await world.request(Infinity, canLookUp, 'none'), 'served')
      assert.equal(world.shop.ledger.payments.length, 1)
      // What was paid for is on the disk, and shown at once by the next process.
      const [token] = [...world.disk.values()].map(parseToken)
      assert.ok(token?.preimage && authorizationOf({ ...token, preimage: token.preimage }))
      assert.equal(await world.request(Infinity, canLookUp, 'refused'), 'served')
    }),
    { numRuns: 150 },
  )
})

test('without a lookup an open payment whose invoice has expired is not replaced', async () => {
  const world = new World()
  assert.equal(await world.request(Infinity, false, 'lost after'), 'not')
  world.clock.advance(2 * 3_600_000)
  assert.equal(await world.request(Infinity, false, 'lost before'), 'not')
  assert.equal(world.shop.ledger.payments.length, 1)
  assert.equal(world.disk.size, 1)
  // A wallet that knows its payments gives the preimage of the first.
  assert.equal(await world.request(Infinity, false, 'none'), 'served')
  assert.equal(world.shop.ledger.payments.length, 1)
})
