/** Buyers who buy one token after the other, so that whatever happens finds sales at every stage. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { pay, until } from './buying.ts'
import type { Purse } from './purse.ts'
import type { Asked, CheapWare } from './ware.ts'

const BUYERS = 3
const PAUSE_MS = 50

/** What the crowd has met. */
export interface Tally {
  /** Tokens that were offered, paid for, and have opened what they were for. */
  sold: number
  /** Answers that there is nothing for now. */
  later: number
  /** Requests without an answer, paid or not. */
  unanswered: number
  /** Longest time without a sale, in milliseconds. */
  longestPauseMs: number
}

/** Buyers at work. */
export interface Crowd {
  readonly tally: Readonly<Tally>
  /** Lets each end its purchase; rejects when one has paid for nothing. */
  stop(): Promise<void>
}

/** Sends buyers to `ware`. */
export function gather(ware: CheapWare, purse: Purse): Crowd {
  const tally: Tally = { sold: 0, later: 0, unanswered: 0, longestPauseMs: 0 }
  let stopped = false
  let soldAt = performance.now()
  const buyer = async (): Promise<void> => {
    while (!stopped) {
      if (await buy(ware, purse, tally)) {
        const now = performance.now()
        tally.sold++
        tally.longestPauseMs = Math.max(tally.longestPauseMs, now - soldAt)
        soldAt = now
      }
      await sleep(PAUSE_MS)
    }
  }
  const buyers = Promise.all(Array.from({ length: BUYERS }, buyer))
  // Looked at by `stop`.
  buyers.catch(() => undefined)
  return {
    tally,
    async stop() {
      stopped = true
      await buyers
    },
  }
}

/** Buys one token and uses it, however often that must be tried; whether there was one. */
async function buy(ware: CheapWare, purse: Purse, tally: Tally): Promise<boolean> {
  const asked = await orUnanswered(ware.ask(), tally)
  if (asked?.name === 'later') tally.later++
  if (asked?.name !== 'offer') return false
  let token = ''
  await until('the crowd can pay', async () => (token = await pay(purse, asked.offer)) !== '')
  await until('the crowd gets what it paid for', async () => {
    return (
      (await orUnanswered(
        ware.collect(token).then(() => true),
        tally,
      )) === true
    )
  })
  return true
}

/** A wrong answer is an `AssertionError` and ends the buyer. */
async function orUnanswered<T extends Asked | boolean>(
  answer: Promise<T>,
  tally: Tally,
): Promise<T | undefined> {
  try {
    return await answer
  } catch (reason) {
    if (reason instanceof assert.AssertionError) throw reason
    tally.unanswered++
    return undefined
  }
}
