/**
 * Our relay beside Aperture's, each in one process on loopback with TLS, under the same Go generator
 * (`test/interop/go/relay-bench`), in turn. `npm run bench:relay [-- throughput|lone|idle|many]`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { LineProcess, type Line } from '../test/interop/line-process.ts'
import { missingPeers, peerBinary } from '../test/interop/peers.ts'
import { Relay } from '../test/interop/relays.ts'
import type { Maker } from '../test/interop/ends.ts'
import { cpuSeconds, fixed, median, ratio, residentBytes, table } from './measure.ts'

const ROUNDS = Number(process.env.PINHOLE_BENCH_ROUNDS ?? 3)
const MAKERS: readonly Maker[] = ['go', 'pinhole']
const FACES = ['grpc', 'websocket'] as const
const SETTLE_MS = 1500
const RUN_MS = 120_000

interface Load {
  readonly face: (typeof FACES)[number]
  readonly size: number
  readonly boxes: number
}

const LOADS: readonly Load[] = FACES.flatMap((face) => [
  ...[1, 10, 100].map((boxes) => ({ face, size: 256, boxes })),
  { face, size: 32_768, boxes: 10 },
])

async function generate(args: readonly string[]): Promise<Line> {
  const generator = new LineProcess({
    name: 'relay-bench',
    command: peerBinary('relay-bench'),
    args,
  })
  let said: Line | undefined
  try {
    said = await generator.line(RUN_MS)
  } finally {
    await generator.stop()
  }
  return said
}

const field = (line: Line, name: string): number => Number(line[name])

interface Sample {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function throughputOf(relay: Relay, load: Load): Promise<Sample> {
  const before = cpuSeconds(relay.pid ?? 0)
  const line = await generate([
    'throughput',
    `--relay=${relay.address}`,
    `--send=${load.face}`,
    `--boxes=${load.boxes}`,
    `--size=${load.size}`,
    '--duration=3s',
    '--warm-up=1s',
  ])
  const perSecond = field(line, 'messagesPerSecond')
  // The warm-up's share of the messages is not counted by the generator, but its processor time is here.
  const cpuMicros = ((cpuSeconds(relay.pid ?? 0) - before) * 1e6) / (perSecond * 4)
  return { perSecond, cpuMicros }
}

async function withRelays(run: (relays: Record<Maker, Relay>) => Promise<void>): Promise<void> {
  const go = await Relay.start('go')
  const pinhole = await Relay.start('pinhole')
  try {
    await run({ go, pinhole })
  } finally {
    await Promise.all([go.stop(), pinhole.stop()])
  }
}

async function throughput(): Promise<void> {
  const rows: string[][] = []
  await withRelays(async (relays) => {
    for (const load of LOADS) {
      const samples: Record<Maker, Sample[]> = { go: [], pinhole: [] }
      for (let round = 0; round < ROUNDS; round++) {
        for (const maker of MAKERS) samples[maker].push(await throughputOf(relays[maker], load))
      }
      const rate = (maker: Maker): number => median(samples[maker].map((one) => one.perSecond))
      const cpu = (maker: Maker): number => median(samples[maker].map((one) => one.cpuMicros))
      const shown = (maker: Maker): string =>
        load.size > 1024
          ? `${fixed((rate(maker) * load.size) / 1e6, 0)} MB/s`
          : `${fixed(rate(maker) / 1000)} k/s`
      rows.push([
        load.face,
        String(load.size),
        String(load.boxes),
        shown('pinhole'),
        shown('go'),
        ratio(rate('pinhole'), rate('go')),
        fixed(cpu('pinhole')),
        fixed(cpu('go')),
      ])
    }
  })
  table(
    ['face', 'bytes', 'boxes', 'Pinhole', 'Aperture', 'ratio', 'Pinhole µs/msg', 'Aperture µs/msg'],
    rows,
  )
}

async function lone(): Promise<void> {
  const rows: string[][] = []
  await withRelays(async (relays) => {
    for (const face of FACES) {
      for (const maker of MAKERS) {
        const lines: Line[] = []
        for (let round = 0; round < ROUNDS; round++) {
          lines.push(await generate(['lone', `--relay=${relays[maker].address}`, `--send=${face}`]))
        }
        const of = (name: string): string =>
          fixed(median(lines.map((line) => field(line, name))), 2)
        rows.push([face, maker === 'go' ? 'Aperture' : 'Pinhole', of('p50Ms'), of('p99Ms')])
      }
    }
  })
  table(['face', 'relay', 'p50 ms', 'p99 ms'], rows)
}

interface Idle {
  readonly name: string
  readonly boxes: number
  readonly args: readonly string[]
}

const IDLE: readonly Idle[] = [
  { name: 'gRPC, packed', boxes: 2000, args: ['--send=grpc', '--receive=grpc'] },
  { name: 'gRPC, own connections', boxes: 500, args: ['--send=grpc', '--receive=grpc', '--apart'] },
  { name: 'WebSocket', boxes: 120, args: ['--send=grpc', '--receive=websocket'] },
]

/** A fresh relay each time, since neither gives all memory back to the system at once. */
async function idleOf(maker: Maker, { boxes, args }: Idle): Promise<string[]> {
  const relay = await Relay.start(maker)
  const pid = relay.pid ?? 0
  try {
    await generate(['throughput', `--relay=${relay.address}`, '--boxes=10', '--duration=1s'])
    await sleep(SETTLE_MS)
    const before = residentBytes(pid)
    const generator = new LineProcess({
      name: 'relay-bench',
      command: peerBinary('relay-bench'),
      args: ['idle', `--relay=${relay.address}`, `--boxes=${boxes}`, ...args],
    })
    const line = await generator.line(RUN_MS)
    await sleep(SETTLE_MS)
    const held = residentBytes(pid)
    await generator.stop()
    await sleep(2 * SETTLE_MS)
    const after = residentBytes(pid)
    const each = (bytes: number): string => `${fixed(bytes / boxes / 1000)} kB`
    return [
      maker === 'go' ? 'Aperture' : 'Pinhole',
      `${field(line, 'served')} of ${boxes}`,
      each(held - before),
      each(after - before),
    ]
  } finally {
    await relay.stop()
  }
}

async function idle(): Promise<void> {
  const rows: string[][] = []
  for (const load of IDLE) {
    for (const maker of MAKERS) rows.push([load.name, ...(await idleOf(maker, load))])
  }
  table(['receivers', 'relay', 'served', 'each, held', 'each, after they left'], rows)
}

async function many(): Promise<void> {
  const load: Idle = {
    name: '5,000 WebSocket clients',
    boxes: 5000,
    args: ['--send=websocket', '--receive=websocket'],
  }
  table(
    ['clients, two sockets each', 'relay', 'served', 'each, held', 'each, after they left'],
    [[load.name, ...(await idleOf('pinhole', load))]],
  )
}

const BENCHES = { throughput, lone, idle, many }
const missing = missingPeers(['relay-bench', 'aperture'])
if (missing.length > 0) {
  console.error(`${missing.join(', ')} missing: run "npm run interop:build"`)
  process.exit(1)
}
const wanted = process.argv.slice(2)
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench()
}
