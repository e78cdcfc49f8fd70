/**
 * Our ends beside the official Go ones, over our relay and Aperture's, on loopback with TLS; every end and
 * relay is a process of its own. `npm run bench:lnc [-- connect|outage|calls|transfer]`;
 * `PINHOLE_BENCH_ONLY=pinhole` leaves out the connects of the Go ends, which take minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { delayProxy } from '../test/interop/delay-proxy.ts'
import { ClientEnd, ServerEnd, type Maker, type Transport } from '../test/interop/ends.ts'
import { missingPeers } from '../test/interop/peers.ts'
import { Relay } from '../test/interop/relays.ts'
import { fixed, median, quantile, ratio, table } from './measure.ts'

const CONNECTS = Number(process.env.PINHOLE_BENCH_CONNECTS ?? 50)
const ROUNDS = Number(process.env.PINHOLE_BENCH_ROUNDS ?? 3)
const MIB = 1024 * 1024
/** Long enough that code which is compiled as it runs has been: the first 16 MiB run at two thirds of what follows. */
const TRANSFER_MIB = { near: 64, far: 16 }
const OUTAGES_SECONDS = [0, 4, 20]
const ROUND_TRIPS_MS = (process.env.PINHOLE_BENCH_TRIPS ?? '0,50,100').split(',').map(Number)
const TRANSPORTS: readonly Transport[] = ['websocket', 'grpc']

interface Pair {
  readonly client: Maker
  readonly server: Maker
  readonly relay: Maker
}

const OURS: Pair = { client: 'pinhole', server: 'pinhole', relay: 'pinhole' }
const THEIRS: Pair = { client: 'go', server: 'go', relay: 'go' }
const NAMES = { pinhole: 'Pinhole', go: 'Go' }
const name = ({ client, server, relay }: Pair): string =>
  `${NAMES[client]} → ${NAMES[server]}, ${relay === 'go' ? "Aperture's relay" : 'our relay'}`

interface Ends {
  readonly client: ClientEnd
  readonly server: ServerEnd
}

async function start(
  pair: Pair,
  transport: Transport,
  serverRelay: string,
  clientRelay = serverRelay,
): Promise<Ends> {
  const server = await ServerEnd.start(pair.server, { relay: serverRelay })
  const client = await ClientEnd.start(pair.client, {
    relay: clientRelay,
    transport,
    phrase: server.phrase,
  })
  return { client, server }
}

async function stop({ client, server }: Ends): Promise<void> {
  await client.stop()
  await server.stop()
}

async function withRelay<T>(maker: Maker, run: (relay: Relay) => Promise<T>): Promise<T> {
  const relay = await Relay.start(maker)
  try {
    return await run(relay)
  } finally {
    await relay.stop()
  }
}

interface Connects {
  readonly first: number[]
  readonly again: number[]
  readonly paired: number[]
}

/** So many fresh sessions: first pairing, the first reconnect right after it was closed, two more. */
async function connects(pair: Pair, transport: Transport, count: number): Promise<Connects> {
  const took: Connects = { first: [], again: [], paired: [] }
  await withRelay(pair.relay, async (relay) => {
    for (let i = 0; i < count; i++) {
      const ends = await start(pair, transport, relay.address)
      await sleep(200)
      took.first.push(await ends.client.connect())
      await ends.client.unary(1, 64)
      await ends.client.disconnect()
      took.again.push(await ends.client.connect())
      await ends.client.disconnect()
      took.paired.push(await ends.client.connect())
      await stop(ends)
    }
  })
  return took
}

async function connect(): Promise<void> {
  const rows: string[][] = []
  const few = Math.ceil(CONNECTS / 5)
  const runs = TRANSPORTS.flatMap((transport) => [
    { pair: OURS, transport, count: CONNECTS },
    { pair: { client: 'pinhole', server: 'go', relay: 'pinhole' } as const, transport, count: few },
    { pair: { client: 'go', server: 'go', relay: 'pinhole' } as const, transport, count: few },
    { pair: THEIRS, transport, count: few },
  ]).filter(({ pair }) => process.env.PINHOLE_BENCH_ONLY !== 'pinhole' || pair === OURS)
  for (const { pair, transport, count } of runs) {
    const { first, again, paired } = await connects(pair, transport, count)
    const of = (values: readonly number[]): string =>
      `${fixed(median(values), 0)} / ${fixed(quantile(values, 1), 0)}`
    rows.push([name(pair), transport, String(count), of(first), of(again), of(paired)])
  }
  table(['client → server', 'way', 'times', 'first pairing', 'first reconnect', 'paired'], rows)
  console.log('(ms, median / worst)\n')
}

async function outageOf(pair: Pair, transport: Transport, seconds: number): Promise<number> {
  return withRelay(pair.relay, async (relay) => {
    const ends = await start(pair, transport, relay.address)
    try {
      await ends.client.connect()
      await ends.client.unary(5, 64)
      await relay.kill()
      await sleep(seconds * 1000)
      await relay.restart()
      return await ends.client.untilAnswered(90_000)
    } finally {
      await stop(ends)
    }
  })
}

async function outage(): Promise<void> {
  const rows: string[][] = []
  const pairs: readonly Pair[] = [OURS, { client: 'go', server: 'go', relay: 'pinhole' }, THEIRS]
  for (const pair of pairs) {
    for (const transport of TRANSPORTS) {
      const cells: string[] = []
      for (const seconds of OUTAGES_SECONDS) {
        const took: number[] = []
        const rounds = seconds > 4 ? 1 : ROUNDS
        for (let i = 0; i < rounds; i++) took.push(await outageOf(pair, transport, seconds))
        cells.push(fixed(median(took) / 1000, 2))
      }
      rows.push([name(pair), transport, ...cells])
    }
  }
  table(['client → server', 'way', ...OUTAGES_SECONDS.map((s) => `after ${s} s`)], rows)
  console.log('(seconds from the relay being back to the first answer)\n')
}

async function callsOf(pair: Pair, transport: Transport, relay: Relay): Promise<[number, number]> {
  const ends = await start(pair, transport, relay.address)
  try {
    await ends.client.connect()
    await ends.client.parallel(64, 64, 1000)
    const { p50Ms } = await ends.client.unary(2000, 64)
    return [p50Ms, await ends.client.parallel(64, 64, 3000)]
  } finally {
    await stop(ends)
  }
}

async function calls(): Promise<void> {
  const rows: string[][] = []
  for (const transport of TRANSPORTS) {
    await withRelay('pinhole', async (relay) => {
      for (const server of ['go', 'pinhole'] as const) {
        const took: Record<Maker, [number, number][]> = { pinhole: [], go: [] }
        for (let i = 0; i < ROUNDS; i++) {
          for (const client of ['go', 'pinhole'] as const) {
            took[client].push(await callsOf({ client, server, relay: 'pinhole' }, transport, relay))
          }
        }
        const of = (maker: Maker, i: 0 | 1): number => median(took[maker].map((one) => one[i]))
        rows.push([
          `${NAMES[server]} server`,
          transport,
          fixed(of('pinhole', 0), 2),
          fixed(of('go', 0), 2),
          ratio(of('pinhole', 0), of('go', 0)),
          fixed(of('pinhole', 1) / 1000),
          fixed(of('go', 1) / 1000),
          ratio(of('pinhole', 1), of('go', 1)),
        ])
      }
    })
  }
  table(
    ['over our relay to', 'way', 'unary ms', 'Go ms', 'ratio', '64 at once k/s', 'Go k/s', 'ratio'],
    rows,
  )
}

async function transferOf(
  pair: Pair,
  transport: Transport,
  relay: Relay,
  roundTripMs: number,
): Promise<[number, number]> {
  const proxy = roundTripMs > 0 ? await delayProxy(relay.address, roundTripMs / 2) : undefined
  const ends = await start(pair, transport, relay.address, proxy?.address ?? relay.address)
  const bytes = (roundTripMs > 0 ? TRANSFER_MIB.far : TRANSFER_MIB.near) * MIB
  try {
    await ends.client.connect()
    await ends.client.download(MIB)
    const rate = (ms: number): number => bytes / 1000 / ms
    const down = rate(await ends.client.download(bytes))
    return [down, rate(await ends.client.upload(bytes))]
  } finally {
    await stop(ends)
    await proxy?.close()
  }
}

async function transfer(): Promise<void> {
  const rows: string[][] = []
  const pairs: readonly Pair[] = [
    OURS,
    { client: 'pinhole', server: 'go', relay: 'pinhole' },
    { client: 'go', server: 'go', relay: 'pinhole' },
    THEIRS,
  ]
  for (const transport of TRANSPORTS) {
    for (const roundTripMs of ROUND_TRIPS_MS) {
      for (const pair of pairs) {
        const took = await withRelay(pair.relay, async (relay) => {
          const rounds: [number, number][] = []
          for (let i = 0; i < ROUNDS; i++) {
            rounds.push(await transferOf(pair, transport, relay, roundTripMs))
          }
          return rounds
        })
        const of = (i: 0 | 1): string => fixed(median(took.map((one) => one[i])))
        rows.push([`${roundTripMs} ms`, transport, name(pair), of(0), of(1)])
      }
    }
  }
  table(['round trip', 'way', 'client → server', 'down MB/s', 'up MB/s'], rows)
}

const BENCHES = { connect, outage, calls, transfer }
const missing = missingPeers(['lnc-peer', 'aperture'])
if (missing.length > 0) {
  console.error(`${missing.join(', ')} missing: run "npm run interop:build"`)
  process.exit(1)
}
const wanted = process.argv.slice(2)
for (const [title, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(title)) await bench()
}
