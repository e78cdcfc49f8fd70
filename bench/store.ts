/** Tokens stored each second, one after the other and 200 at once, and what that holds up. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openStore } from '../src/store/store.ts'

const SECONDS = 3
const NS_PER_MS = 1e6

// Beside the sources, not in a temporary folder: that may be in memory, where a sync costs nothing.
const folder = mkdtempSync(path.join(import.meta.dirname, 'store-'))
const store = openStore(path.join(folder, 'pinhole.db'))
const newToken = () => ({
  identifierHash: randomBytes(32),
  rootKey: randomBytes(32),
  tokenId: randomBytes(32),
  paymentHash: randomBytes(32),
  service: 'bench',
  priceMsat: 1_000n,
  createdAtMs: Date.now(),
})

async function measure(atOnce: number) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const startedAt = performance.now()
  let stored = 0
  delay.enable()
  const sell = async () => {
    while (performance.now() - startedAt < SECONDS * 1_000) {
      await store.tokens.add(newToken())
      stored++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sell))
  delay.disable()
  const perSecond = Math.round((stored * 1_000) / (performance.now() - startedAt))
  return { atOnce, perSecond, loopDelayP99Ms: delay.percentile(99) / NS_PER_MS }
}

try {
  await store.tokens.add(newToken())
  console.table([await measure(1), await measure(200)])
} finally {
  await store.close()
  rmSync(folder, { recursive: true })
}
