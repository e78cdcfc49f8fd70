/** One part is killed in mid-sale and started again: what is paid for must come, before, meanwhile and after. */
import assert from 'node:assert/strict'
import grpc from '@grpc/grpc-js'
import type { Challenge } from '../../../proxy/l402/index.ts'
import { HEAL_MS, offerOf, pay, until } from './buying.ts'
import { type Crowd, gather, type Tally } from './crowd.ts'
import { STOCK } from './hub-process.ts'
import { callAllKinds } from './grpc-ware.ts'
import { transfer } from './http-ware.ts'
import type { Shop } from './shop.ts'
import type { Running, Ware } from './ware.ts'

/** What the crowd buys before something is killed, and after all is well. */
const CROWD_SALES = 3

/** What is killed. */
export interface Victim {
  readonly name: string
  kill(): Promise<void>
  /** Starts it again; what follows must heal by itself. */
  restart(): Promise<void>
  /** Whether the hub answers meanwhile. */
  readonly hubLives: boolean
  /** Whether its invoices can be paid meanwhile. */
  readonly canBePaid: boolean
}

/** How it went; times in milliseconds. */
export interface Outage {
  readonly name: string
  readonly awayMs: number
  /** Answers to requests without a token while it was away. */
  readonly unpaid: { readonly offers: number; readonly later: number }
  /** From its start on. */
  readonly soldAgainMs: number
  readonly crowd: Readonly<Tally>
  readonly allSettledMs: number
}

/** The node is connected, is heard, and has made all invoices that are made ahead. */
export const stocked = ({ hub, wares }: Shop): Promise<void> =>
  until('the node is connected and invoices are in stock', async () => {
    const { state, subscribed, ready } = await hub.node()
    return state === 'ready' && subscribed && ready >= STOCK * (wares.length + 1)
  })

interface Pending {
  readonly ware: Ware
  readonly offer: Challenge
}

/** Kills `victim` in mid-sale, starts it again, and sees that nothing paid is lost. */
export async function outage(
  shop: Shop,
  victim: Victim,
  tokens: readonly string[],
): Promise<Outage> {
  await stocked(shop)
  const crowd = gather(shop.cheap, shop.purse)
  try {
    return await amid(crowd, shop, victim, tokens)
  } finally {
    await crowd.stop()
  }
}

async function amid(
  crowd: Crowd,
  shop: Shop,
  victim: Victim,
  tokens: readonly string[],
): Promise<Outage> {
  const { wares, purse, hub } = shop
  const [first] = wares
  assert.ok(first)
  const streams = await Promise.all(wares.map((ware, at) => ware.open(tokens[at] ?? '')))
  const pending: Pending[] = []
  for (const ware of wares) pending.push({ ware, offer: await offerOf(ware) })
  // Paid, and shown to nobody before the node has told of it.
  const silent = await offerOf(first)
  const early = victim.canBePaid ? undefined : await pay(purse, silent)
  const sales = async (count: number) => until('the crowd buys', () => crowd.tally.sold >= count)
  await sales(CROWD_SALES)

  const killedAt = performance.now()
  await victim.kill()
  const silentToken = early ?? (await pay(purse, silent))
  const unpaid = { offers: 0, later: 0 }
  if (victim.hubLives) {
    await collectAll(wares, tokens)
    for (const ware of wares) pending.push({ ware, offer: await offerOf(ware) })
    if (victim.canBePaid) await settle(shop, pending.splice(0))
    Object.assign(unpaid, await sellOut(first))
    unpaid.offers += wares.length
    await goOn(streams)
  } else {
    assert.deepEqual(
      await Promise.all(streams.map(({ ended }) => ended)),
      wares.map(() => 'broken'),
    )
    await assert.rejects(first.ask(), 'nobody answers for a hub that is not there')
  }

  const startedAt = performance.now()
  const since = async (done: Promise<void>) => done.then(() => performance.now() - startedAt)
  await victim.restart()
  const [soldAgainMs] = await Promise.all([
    since(sellAgain(shop, first)),
    collectAll(wares, tokens),
    settle(shop, pending),
  ])
  await sales(crowd.tally.sold + CROWD_SALES)
  await crowd.stop()
  assert.ok(!victim.hubLives || crowd.tally.unanswered === 0, 'a hub that lives answers')
  const allSettledMs = await since(
    until('all payments are known', () => hub.unsettled(purse.paid.keys()).length === 0),
  )
  await first.collect(silentToken)
  await buyNothing(shop)
  if (victim.hubLives) await goOn(streams)
  for (const stream of streams) await stream.close()
  const awayMs = startedAt - killedAt
  return { name: victim.name, awayMs, unpaid, soldAgainMs, allSettledMs, crowd: crowd.tally }
}

async function collectAll(wares: readonly Ware[], tokens: readonly string[]): Promise<void> {
  for (const [at, ware] of wares.entries()) await ware.collect(tokens[at] ?? '')
}

/** Pays for what was offered, as soon as that can be paid, and fetches it. */
async function settle({ purse }: Shop, pending: readonly Pending[]): Promise<void> {
  for (const { ware, offer } of pending) {
    let token = ''
    await until(`${ware.name} is paid for`, async () => (token = await pay(purse, offer)) !== '')
    await ware.collect(token)
  }
}

/** Asks until nothing is left to be offered. */
async function sellOut(ware: Ware): Promise<{ offers: number; later: number }> {
  const unpaid = { offers: 0, later: 0 }
  const deadline = performance.now() + HEAL_MS
  while (unpaid.later === 0) {
    assert.ok(performance.now() < deadline, 'invoices run out')
    const { name } = await ware.ask()
    if (name === 'offer') unpaid.offers++
    else unpaid.later++
  }
  return unpaid
}

async function sellAgain({ purse }: Shop, ware: Ware): Promise<void> {
  let token = ''
  await until(`${ware.name} is sold again`, async () => {
    const asked = await ware.ask()
    if (asked.name === 'offer') token = await pay(purse, asked.offer)
    return token !== ''
  })
  await ware.collect(token)
}

async function goOn(streams: readonly Running[]): Promise<void> {
  for (const stream of streams) {
    const { count } = stream
    await until('a stream goes on', () => stream.count > count)
  }
}

/** Buyers who keep their tokens have no reason to buy again. */
export async function buyNothing({ buyers, hub, purse }: Shop): Promise<void> {
  const payments = purse.paid.size
  await transfer(buyers.fetch, `https://${hub.address}`)
  await callAllKinds(buyers.client, new grpc.Metadata())
  assert.equal(purse.paid.size, payments, 'nothing is bought twice')
}
