/**
 * Either end is killed in mid-call and starts again with the keys that it kept, over our relay: nothing is
 * left occupied, the two meet again, and calls work. First the client, right after a first pairing, when a
 * Go server still waits at the phrase's boxes for ten seconds and more; then the server.
 */
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CELLS, CELL_HEAD, cellColumns, cellName, formatMs as ms, type Cell } from './cells.ts'
import { ClientEnd, ServerEnd, type Maker } from './ends.ts'
import { requirePeers } from './peers.ts'
import { Relay } from './relays.ts'
import { Undo } from './undo.ts'

const CONNECT_MS = 60_000
const BUSY_MS = 300
const DOWNLOAD_BYTES = 256 * 1024 * 1024
const AFTERWARDS_BYTES = 1024 * 1024

const cells = CELLS.filter(({ relay }) => relay === 'pinhole')

interface Row extends Cell {
  readonly clientMs?: number
  readonly refusals?: number
  readonly serverMs?: number
}

/**
 * Keeps a call going until one of its ends is killed: a transfer, or a quiet stream where the Go server would
 * be left with a full window, at which it neither pings nor notices, ever, that its client is gone (LNC §9.5).
 */
async function busy(client: ClientEnd, server: Maker): Promise<void> {
  const call = server === 'go' ? client.ticks(10, 30_000) : client.download(DOWNLOAD_BYTES)
  call.catch(() => undefined)
  await sleep(BUSY_MS)
}

/** Connects as a program does whose user tries again: how long it took, and how often it was refused. */
async function meetAgain(client: ClientEnd): Promise<{ clientMs: number; refusals: number }> {
  const started = performance.now()
  for (let refusals = 0; ; refusals++) {
    try {
      await client.connect(CONNECT_MS)
      return { clientMs: performance.now() - started, refusals }
    } catch (reason) {
      if (performance.now() - started > CONNECT_MS) throw reason
    }
  }
}

async function works(client: ClientEnd): Promise<void> {
  await client.unary(5, 100)
  await client.upload(AFTERWARDS_BYTES)
  await client.download(AFTERWARDS_BYTES)
}

async function runCell(t: TestContext, cell: Cell, relay: string): Promise<Row> {
  const undo = new Undo(t)
  const { transport } = cell
  const server = await ServerEnd.start(cell.server, { relay })
  undo.push(() => server.stop())
  const { phrase } = server
  const client = await ClientEnd.start(cell.client, { relay, transport, phrase })
  undo.push(() => client.stop())
  await client.connect(CONNECT_MS)
  const keys = { ofClient: await client.keys(), ofServer: await server.keys() }

  await busy(client, cell.server)
  await client.process.kill()
  const nextClient = await ClientEnd.start(cell.client, { relay, transport, ...keys.ofClient })
  undo.push(() => nextClient.stop())
  const met = await meetAgain(nextClient)
  await works(nextClient)

  await busy(nextClient, cell.server)
  await server.process.kill()
  const nextServer = await ServerEnd.start(cell.server, { relay, ...keys.ofServer })
  undo.push(() => nextServer.stop())
  const serverMs = await nextClient.untilAnswered(CONNECT_MS)
  await works(nextClient)
  return { ...cell, ...met, serverMs }
}

function print(rows: readonly Row[]): void {
  console.log(`| ${CELL_HEAD} | client killed: connected, refused before | server killed: calls |`)
  for (const row of rows) {
    const client =
      row.clientMs === undefined ? 'failed' : `${ms(row.clientMs)} ms, ${row.refusals ?? 0} times`
    const server = row.serverMs === undefined ? 'failed' : `${ms(row.serverMs)} ms`
    console.log(`| ${cellColumns(row)} | ${client} | ${server} |`)
  }
}

test('ends that were killed meet again', { timeout: 600_000, concurrency: 3 }, async (t) => {
  if (!requirePeers(t, 'lnc-peer')) return
  const relay = await Relay.start('pinhole')
  t.after(() => relay.stop())
  const rows = new Map<string, Row>(cells.map((cell) => [cellName(cell), cell]))
  await Promise.all(
    cells.map((cell) =>
      t.test(cellName(cell), { timeout: 240_000 }, async (cellTest) => {
        rows.set(cellName(cell), await runCell(cellTest, cell, relay.address))
      }),
    ),
  )
  print([...rows.values()])
})
