/** What receivers cost that get nothing: resident memory while they are there, and after they left. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Maker } from '../../test/interop/ends.ts'
import type { LineProcess } from '../../test/interop/line-process.ts'
import { Relay } from '../../test/interop/relays.ts'
import { fixed, residentBytes, table } from '../measure.ts'
import { field, generate, generator, MAKERS, relayName, RUN_MS } from './load.ts'

const SETTLE_MS = 1500
/** Boxes of one generator: both ends of each on one connection, of whose streams Aperture takes 250. */
const BOXES_OF_ONE = 120

interface Idle {
  readonly name: string
  readonly boxes: number
  readonly args: readonly string[]
  /** Boxes for each generator, if not all for one. */
  readonly each?: number
}

// Aperture over WebSocket falls silent beyond 125 clients.
const IDLE: readonly Idle[] = [
  {
    name: 'gRPC, packed',
    boxes: 10 * BOXES_OF_ONE,
    args: ['--send=grpc', '--receive=grpc'],
    each: BOXES_OF_ONE,
  },
  { name: 'gRPC, own connections', boxes: 500, args: ['--send=grpc', '--receive=grpc', '--apart'] },
  { name: 'WebSocket', boxes: 110, args: ['--send=grpc', '--receive=websocket'] },
]

/** A fresh relay each time, since neither gives all memory back to the system at once. */
async function idleOf(maker: Maker, load: Idle): Promise<string[]> {
  const relay = await Relay.start(maker)
  const pid = relay.pid ?? 0
  const generators: LineProcess[] = []
  try {
    await generate(['throughput', `--relay=${relay.address}`, '--boxes=10', '--duration=1s'])
    await sleep(SETTLE_MS)
    const before = residentBytes(pid)
    const served = await serve(relay, load, generators)
    await sleep(SETTLE_MS)
    const held = residentBytes(pid)
    await Promise.all(generators.splice(0).map((one) => one.stop()))
    await sleep(2 * SETTLE_MS)
    const after = residentBytes(pid)
    const each = (bytes: number): string => `${fixed(bytes / load.boxes / 1000)} kB`
    return [
      relayName(maker),
      `${served} of ${load.boxes}`,
      each(held - before),
      each(after - before),
    ]
  } finally {
    await Promise.all(generators.map((one) => one.stop()))
    await relay.stop()
  }
}

/** Has generators open the boxes, one after the other; returns how many were served. */
async function serve(
  relay: Relay,
  { boxes, args, each = boxes }: Idle,
  generators: LineProcess[],
): Promise<number> {
  let served = 0
  for (let left = boxes; left > 0; left -= each) {
    const some = Math.min(left, each)
    const one = generator(['idle', `--relay=${relay.address}`, `--boxes=${some}`, ...args])
    generators.push(one)
    served += field(await one.line(RUN_MS), 'served')
  }
  return served
}

/** Receivers of each face on both relays. */
export async function idle(): Promise<void> {
  const rows: string[][] = []
  for (const load of IDLE) {
    for (const maker of MAKERS) rows.push([load.name, ...(await idleOf(maker, load))])
  }
  table(['receivers', 'relay', 'served', 'each, held', 'each, after they left'], rows)
}

/** More WebSocket clients than Aperture serves. */
export async function many(): Promise<void> {
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
