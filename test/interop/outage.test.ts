/**
 * The relay is killed in mid-call and comes back on the same port: for every combination of ends and relays
 * calls work again by themselves, and no call that was under way gives anything but its own, in order, or an
 * error. Prints how long it took.
 */
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CELLS, CELL_HEAD, cellColumns, cellName, formatMs as ms, type Cell } from './cells.ts'
import { ClientEnd, ServerEnd } from './ends.ts'
import { requirePeers } from './peers.ts'
import { Relay } from './relays.ts'
import { Undo } from './undo.ts'

const OUTAGE_MS = 1000
const CONNECT_MS = 60_000
const TICK_MS = 20
const TICKS = 100_000
const DOWNLOAD_BYTES = 256 * 1024 * 1024
const AFTERWARDS_BYTES = 1024 * 1024
/** Go's ends wait for each other's pings and two seconds between attempts; ours do not. */
const HEAL_MS = { ours: 10_000, withGo: 30_000 }

interface Row extends Cell {
  readonly healedMs?: number
  readonly interrupted?: string
}

/** How a call ended that the outage met; a wrong or repeated message fails the test. */
async function ending(call: Promise<number>): Promise<string> {
  try {
    await call
    return 'done'
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : String(reason)
    if (/was due|differs/.test(message)) throw reason
    return 'ended'
  }
}

async function runCell(t: TestContext, cell: Cell): Promise<Row> {
  const undo = new Undo(t)
  const relay = await Relay.start(cell.relay)
  undo.push(() => relay.stop())
  const server = await ServerEnd.start(cell.server, { relay: relay.address })
  undo.push(() => server.stop())
  const client = await ClientEnd.start(cell.client, {
    relay: relay.address,
    transport: cell.transport,
    phrase: server.phrase,
  })
  undo.push(() => client.stop())
  await client.connect(CONNECT_MS)
  await client.unary(5, 100)

  const ticking = ending(client.ticks(TICKS, TICK_MS))
  const loading = ending(client.download(DOWNLOAD_BYTES))
  await client.process.event('tick', CONNECT_MS)
  await sleep(200)
  await relay.kill()
  await sleep(OUTAGE_MS)
  await relay.restart()

  const isOurs = cell.client === 'pinhole' && cell.server === 'pinhole'
  const healedMs = await client.untilAnswered(isOurs ? HEAL_MS.ours : HEAL_MS.withGo)
  await client.unary(20, 100)
  await client.stream(100)
  await client.upload(AFTERWARDS_BYTES)
  await client.download(AFTERWARDS_BYTES)

  const still = sleep(0, 'goes on')
  const interrupted = await Promise.all(
    [ticking, loading].map((call) => Promise.race([call, still])),
  )
  return { ...cell, healedMs, interrupted: `ticks ${interrupted[0]}, download ${interrupted[1]}` }
}

function print(rows: readonly Row[]): void {
  console.log(`| ${CELL_HEAD} | calls again after | the calls that it met |`)
  for (const row of rows) {
    const healed = row.healedMs === undefined ? 'never' : `${ms(row.healedMs)} ms`
    console.log(`| ${cellColumns(row)} | ${healed} | ${row.interrupted ?? '–'} |`)
  }
  console.log(`(relay killed in mid-call, away for ${OUTAGE_MS} ms; cells run beside each other)`)
}

test(
  'calls work again after the relay was killed',
  { timeout: 900_000, concurrency: 3 },
  async (t) => {
    if (!requirePeers(t, 'lnc-peer', 'aperture')) return
    const rows = new Map<string, Row>(CELLS.map((cell) => [cellName(cell), cell]))
    await Promise.all(
      CELLS.map((cell) =>
        t.test(cellName(cell), { timeout: 300_000 }, async (cellTest) => {
          rows.set(cellName(cell), await runCell(cellTest, cell))
        }),
      ),
    )
    print([...rows.values()])
  },
)
