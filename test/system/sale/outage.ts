/** One part is killed in mid-sale and started again: what is paid for must come, before, meanwhile and after. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import grpc from '@grpc/grpc-js'
import { formatAuthorization, type Challenge } from '../../../proxy/l402/index.ts'
import { STOCK } from './hub-process.ts'
import { callAllKinds } from './grpc-ware.ts'
import { transfer } from './http-ware.ts'
import type { Purse } from './purse.ts'
import type { Shop } from './shop.ts'
import type { Running, Ware } from './ware.ts'

/** How long everything may take to be well again. */
const HEAL_MS = 30_000
const POLL_MS = 50
const MAX_FEE_MSAT = 10_000n

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
  readonly allSettledMs: number
}

/** Waits until `holds` does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + HEAL_MS
  let last: unknown
  while (performance.now() < deadline) {
    try {
      if (await holds()) return
    } catch (reason) {
      last = reason
    }
    await sleep(POLL_MS)
  }
  throw new Error(`not within ${HEAL_MS} ms: ${what}`, { cause: last })
}

/** What `ware` offers; rejects when it offers nothing. */
export async function offerOf(ware: Ware): Promise<Challenge> {
  const asked = await ware.ask()
  assert.equal(asked.name, 'offer', `${ware.name} has something to offer`)
  return asked.offer
}

/** Pays; resolves with the token. */
export async function pay(purse: Purse, { invoice, macaroon }: Challenge): Promise<string> {
  const { preimage } = await purse.pay(invoice, { maxFeeMsat: MAX_FEE_MSAT })
  return formatAuthorization(macaroon, preimage)
}

/** The node is connected, is heard, and has made all invoices that are made ahead. */
export const stocked = ({ hub, wares }: Shop): Promise<void> =>
  until('the node is connected and invoices are in stock', async () => {
    const { state, subscribed, ready } = await hub.node()
    return state === 'ready' && subscribed && ready >= STOCK * wares.length
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
  const { wares, purse, hub } = shop
  const [first] = wares
  assert.ok(first)
  await stocked(shop)
  const streams = await Promise.all(wares.map((ware, at) => ware.open(tokens[at] ?? '')))
  const pending: Pending[] = []
  for (const ware of wares) pending.push({ ware, offer: await offerOf(ware) })
  // Paid, and shown to nobody before the node has told of it.
  const silent = await offerOf(first)
  const early = victim.canBePaid ? undefined : await pay(purse, silent)
  const payments = purse.paid.size

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
  const allSettledMs = await since(
    until('all payments are known', () => hub.unsettled(purse.paid.keys()).length === 0),
  )
  await first.collect(silentToken)
  await buyNothing(shop)
  if (victim.hubLives) await goOn(streams)
  for (const stream of streams) await stream.close()
  assert.ok(purse.paid.size > payments, 'something was sold')
  const awayMs = startedAt - killedAt
  return { name: victim.name, awayMs, unpaid, soldAgainMs, allSettledMs }
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
