/** What buying takes. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAuthorization, type Challenge } from '../../../proxy/l402/index.ts'
import type { Purse } from './purse.ts'
import type { CheapWare } from './ware.ts'

/** How long everything may take to be well again. */
export const HEAL_MS = 30_000
const POLL_MS = 50
const MAX_FEE_MSAT = 10_000n

/** Waits until `holds` does; what it throws is waited out, but for what is wrong. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + HEAL_MS
  let last: unknown
  while (performance.now() < deadline) {
    try {
      if (await holds()) return
    } catch (reason) {
      if (reason instanceof assert.AssertionError) throw reason
      last = reason
    }
    await sleep(POLL_MS)
  }
  throw new Error(`not within ${HEAL_MS} ms: ${what}`, { cause: last })
}

/** What `ware` offers; rejects when it offers nothing. */
export async function offerOf(ware: CheapWare): Promise<Challenge> {
  const asked = await ware.ask()
  assert.equal(asked.name, 'offer', `${ware.name} has something to offer`)
  return asked.offer
}

/** Pays; resolves with the token. */
export async function pay(purse: Purse, { invoice, macaroon }: Challenge): Promise<string> {
  const { preimage } = await purse.pay(invoice, { maxFeeMsat: MAX_FEE_MSAT })
  return formatAuthorization(macaroon, preimage)
}
