/**
 * An API is sold for real: two lnd with a channel, the seller's behind `pinhole agent` and our relay, a hub that
 * was paired by phrase before an HTTP, a gRPC and a WebSocket service. Then hub, relay, agent and lnd are killed
 * in mid-sale, one after the other. Prints how long it took until sales went on.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import grpc from '@grpc/grpc-js'
import { z } from 'zod'
import { requirePeers } from '../interop/peers.ts'
import { Undo } from '../interop/undo.ts'
import { callAllKinds } from './sale/grpc-ware.ts'
import { transfer } from './sale/http-ware.ts'
import { offerOf, pay, until } from './sale/buying.ts'
import { buyNothing, outage, type Outage, type Victim } from './sale/outage.ts'
import { openShop, type Shop } from './sale/shop.ts'

const Invoices = z.object({
  invoices: z.array(z.object({ state: z.string(), amt_paid_sat: z.string() })),
})

function victimsOf({ hub, relay, agent, simnet }: Shop): readonly Victim[] {
  const alive = { hubLives: true, canBePaid: true }
  return [
    {
      name: 'hub',
      hubLives: false,
      canBePaid: true,
      kill: () => hub.kill(),
      restart: () => hub.start(),
    },
    { name: 'relay', ...alive, kill: () => relay.kill(), restart: () => relay.restart() },
    { name: 'agent', ...alive, kill: () => agent.kill(), restart: () => agent.restart() },
    {
      name: 'lnd',
      hubLives: true,
      canBePaid: false,
      kill: () => simnet.payee.kill(),
      restart: () => simnet.payee.restart(),
    },
  ]
}

const COLUMNS = [
  ...['killed', 'for s', 'unpaid meanwhile', 'sold again after s', 'all settled after s'],
  ...['the crowd: sold', '503', 'no answer', 'longest without a sale, s'],
]

function print(rows: readonly Outage[]): void {
  const s = (ms: number) => (ms / 1000).toFixed(1)
  const line = (columns: readonly (string | number)[]) => `| ${columns.join(' | ')} |`
  console.log(line(COLUMNS))
  console.log(line(COLUMNS.map(() => '---')))
  for (const { name, awayMs, unpaid, soldAgainMs, allSettledMs, crowd } of rows) {
    const { offers, later } = unpaid
    const answers = offers + later === 0 ? 'no answer' : `402 ${offers} times, then 503`
    const { sold, unanswered, longestPauseMs } = crowd
    const own = [name, s(awayMs), answers, s(soldAgainMs), s(allSettledMs)]
    console.log(line([...own, sold, crowd.later, unanswered, s(longestPauseMs)]))
  }
  console.log('(SIGKILL; after: from the start of the one that was killed)')
}

test('sells, whatever is killed meanwhile', { timeout: 240_000 }, async (t) => {
  if (!requirePeers(t, 'lnd', 'btcd')) return
  const undo = new Undo(t)
  const shop = await openShop(undo)
  const { hub, purse, wares, simnet, buyers } = shop
  const tokens: string[] = []

  await t.test('the hub is paired with the node that it is', async () => {
    const { identity_pubkey: pubkey } = await simnet.payee.info()
    assert.equal(shop.paired.pubkey, pubkey)
    assert.equal(shop.paired.network, 'simnet')
    await until('the node is connected', async () => (await hub.node()).state === 'ready')
  })

  await t.test('buyers that pay by themselves get what they pay for, once', async () => {
    await transfer(buyers.fetch, `https://${hub.address}`)
    await callAllKinds(buyers.client, new grpc.Metadata())
    assert.equal(purse.paid.size, 2)
    await buyNothing(shop)
  })

  await t.test('every service sells, and the payments are known', async () => {
    for (const ware of [...wares, shop.cheap]) {
      const token = await pay(purse, await offerOf(ware))
      await ware.collect(token)
      tokens.push(token)
    }
    await until('all payments are known', () => hub.unsettled(purse.paid.keys()).length === 0)
  })

  const rows: Outage[] = []
  for (const victim of victimsOf(shop)) {
    await t.test(`nothing paid is lost when the ${victim.name} is killed`, async () => {
      rows.push(await outage(shop, victim, tokens))
    })
  }
  print(rows)

  await t.test('buyer, hub and lnd count the same', async () => {
    const paid = [...purse.paid.values()].reduce((sum, msat) => sum + msat, 0n) / 1000n
    const { settled, sat } = hub.sold()
    assert.deepEqual([settled, BigInt(sat)], [purse.paid.size, paid])
    const list = await simnet.payee.rest('GET', '/v1/invoices?num_max_invoices=100000')
    const received = Invoices.parse(list).invoices.filter(({ state }) => state === 'SETTLED')
    const amounts = received.map(({ amt_paid_sat: amount }) => BigInt(amount))
    assert.deepEqual([received.length, amounts.reduce((a, b) => a + b)], [settled, paid])
  })

  await t.test('the doctor finds every payment at the node', async () => {
    const findings = await hub.doctor('reconcile')
    const texts = findings.map(({ level, text }) => `${level}: ${text}`)
    const { settled } = hub.sold()
    assert.match(texts.join('\n'), new RegExp(`^ok: all ${settled} payments of the ledger`, 'm'))
    assert.deepEqual([...new Set(findings.map(({ level }) => level))], ['ok'], texts.join('\n'))
  })
})
