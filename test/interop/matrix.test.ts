/**
 * Every combination of our ends and relay with the official ones: {our client, Go client} × {our server,
 * Go server} × {our relay, Aperture's relay} × {WebSocket, gRPC on the client side}. Each pairs by phrase
 * and then connects ten times in a row by the keys; over both kinds of connection it makes unary calls, a
 * server stream and a transfer each way, contents compared. Prints one table.
 */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { CELLS, CELL_HEAD, cellColumns, cellName, formatMs as ms, type Cell } from './cells.ts'
import { ClientEnd, ServerEnd, type Maker } from './ends.ts'
import { requirePeers } from './peers.ts'
import { Relay } from './relays.ts'
import { Undo } from './undo.ts'

const MACAROON = '0201036c6e6402f801030a10'
const TRANSFER_BYTES = 5 * 1024 * 1024
const UNARY_CALLS = 50
const STREAMED = 500
const RECONNECTS = 10
/** The Go client was seen to take 35 s. */
const CONNECT_MS = 60_000

interface Figures {
  readonly connectMs: number
  readonly unaryMs: number
  readonly downMs: number
  readonly upMs: number
}

interface Row extends Cell {
  readonly first?: Figures
  readonly paired?: Figures
  readonly reconnectsMs?: readonly number[]
}

/** Everything a connection must carry, with what it took. */
async function exercise(client: ClientEnd, connectMs: number): Promise<Figures> {
  const { p50Ms } = await client.unary(UNARY_CALLS, 100)
  await client.unary(2, 60_000)
  await client.stream(STREAMED)
  const downMs = await client.download(TRANSFER_BYTES)
  const upMs = await client.upload(TRANSFER_BYTES)
  return { connectMs, unaryMs: p50Ms, downMs, upMs }
}

async function runCell(t: TestContext, cell: Cell, relay: string): Promise<Row> {
  const undo = new Undo(t)
  const server = await ServerEnd.start(cell.server, { relay, macaroon: MACAROON })
  undo.push(() => server.stop())
  const client = await ClientEnd.start(cell.client, {
    relay,
    transport: cell.transport,
    phrase: server.phrase,
  })
  undo.push(() => client.stop())

  const first = await exercise(client, await client.connect(CONNECT_MS))
  const [ofClient, ofServer] = [await client.keys(), await server.keys()]
  for (const { remoteKey } of [ofClient, ofServer])
    assert.match(remoteKey ?? '', /^0[23][0-9a-f]{64}$/)

  await client.disconnect()
  const paired = await exercise(client, await client.connect(CONNECT_MS))

  const reconnectsMs: number[] = []
  for (let i = 0; i < RECONNECTS; i++) {
    await client.disconnect()
    reconnectsMs.push(await client.connect(CONNECT_MS))
    await client.unary(1, 100)
  }
  await client.disconnect()
  return { ...cell, first, paired, reconnectsMs }
}

const rate = (took: number): string => (TRANSFER_BYTES / 1000 / took).toFixed(1).padStart(5)

function figures(of: Figures | undefined): string {
  if (!of) return '     –      –     –     –'
  return `${ms(of.connectMs)} ${ms(of.unaryMs)} ${rate(of.downMs)} ${rate(of.upMs)}`
}

function print(rows: readonly Row[]): void {
  const one = 'connect  unary  down    up'
  const reconnects = `${RECONNECTS} reconnects: median, worst`
  console.log(`| ${CELL_HEAD} | first: ${one} | paired: ${one} | ${reconnects} |`)
  for (const row of rows) {
    const took = [...(row.reconnectsMs ?? [])].sort((a, b) => a - b)
    const again = row.reconnectsMs
      ? `${ms(took[took.length >> 1] ?? 0)} ${ms(took.at(-1) ?? 0)}`
      : 'failed'
    console.log(
      `| ${cellColumns(row)} | ${figures(row.first)} | ${figures(row.paired)} | ${again} |`,
    )
  }
  console.log('(connect and unary in ms, transfers in MB/s; cells run beside each other)')
}

test('every end meets every other over every relay', { timeout: 900_000 }, async (t) => {
  if (!requirePeers(t, 'lnc-peer', 'aperture')) return
  const rows = new Map<string, Row>(CELLS.map((cell) => [cellName(cell), cell]))
  for (const maker of ['pinhole', 'go'] satisfies Maker[]) {
    const ofRelay = CELLS.filter((cell) => cell.relay === maker)
    if (ofRelay.length === 0) continue
    await t.test(`over the relay of ${maker}`, { concurrency: 3 }, async (relayTest) => {
      const relay = await Relay.start(maker)
      relayTest.after(() => relay.stop())
      await Promise.all(
        ofRelay.map((cell) =>
          relayTest.test(cellName(cell), { timeout: 300_000 }, async (cellTest) => {
            rows.set(cellName(cell), await runCell(cellTest, cell, relay.address))
          }),
        ),
      )
    })
  }
  print([...rows.values()])
})
