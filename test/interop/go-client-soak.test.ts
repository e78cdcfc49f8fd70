/**
 * The Go WebSocket client through our relay for a long time, calling and idle in turn. It never reads its
 * send socket and so never answers a ping there: a relay that ends such a socket stalls its calls for
 * seconds, again and again (LNC §18). None may take longer than a second here.
 *
 * A minute with pings every 2 s by default; `PINHOLE_SOAK_SECONDS=600` makes it ten with the pings of the
 * default configuration.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientEnd, ServerEnd, type Maker } from './ends.ts'
import { requirePeers } from './peers.ts'
import { Relay } from './relays.ts'
import { Undo } from './undo.ts'

const DEFAULT_SECONDS = 60
const CALL_EVERY_MS = 200
const CALLING_MS = 8000
/** Longer than the keep-alive of either end (5 and 7 s), so that pings pass. */
const IDLE_MS = 12_000
const STALL_MS = 1000
const CONNECT_MS = 60_000

const seconds = Number(process.env.PINHOLE_SOAK_SECONDS ?? DEFAULT_SECONDS)
const isLong = seconds > DEFAULT_SECONDS
const pings = isLong
  ? { wsPingInterval: '30s', wsPongWait: '15s' }
  : { wsPingInterval: '2s', wsPongWait: '1s' }

interface Soak {
  readonly calls: number
  readonly worstMs: number
}

async function soak(client: ClientEnd, endMs: number): Promise<Soak> {
  let calls = 0
  let worstMs = 0
  while (performance.now() < endMs) {
    const count = Math.floor(CALLING_MS / CALL_EVERY_MS)
    const { maxMs } = await client.unary(count, 1000, CALL_EVERY_MS)
    calls += count
    worstMs = Math.max(worstMs, maxMs)
    await sleep(IDLE_MS)
  }
  // The first call after a long idle time counts as well.
  const { maxMs } = await client.unary(1, 1000)
  return { calls: calls + 1, worstMs: Math.max(worstMs, maxMs) }
}

const title = `the Go WebSocket client calls for ${seconds} s through our relay without a stall`
test(title, { timeout: (seconds + 180) * 1000, concurrency: 2 }, async (t) => {
  if (!requirePeers(t, 'lnc-peer')) return
  const relay = await Relay.start('pinhole', pings)
  t.after(() => relay.stop())
  await Promise.all(
    (['go', 'pinhole'] satisfies Maker[]).map((maker) =>
      t.test(`to the server of ${maker}`, async (serverTest) => {
        const undo = new Undo(serverTest)
        const server = await ServerEnd.start(maker, { relay: relay.address })
        undo.push(() => server.stop())
        const client = await ClientEnd.start('go', {
          relay: relay.address,
          transport: 'websocket',
          phrase: server.phrase,
        })
        undo.push(() => client.stop())
        await client.connect(CONNECT_MS)
        const { calls, worstMs } = await soak(client, performance.now() + seconds * 1000)
        console.log(`${maker} server: ${calls} calls, the worst took ${worstMs.toFixed(0)} ms`)
        assert.ok(worstMs < STALL_MS, `a call took ${worstMs.toFixed(0)} ms`)
        const connections = client.process.events.filter((line) => line.event === 'authData').length
        assert.equal(connections, 1, 'the client had to connect again')
      }),
    ),
  )
})
