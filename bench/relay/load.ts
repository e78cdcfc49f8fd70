/** What the benches of the relay share: the Go generator, both relays, and their names. */
import type { Maker } from '../../test/interop/ends.ts'
import { LineProcess, type Line } from '../../test/interop/line-process.ts'
import { peerBinary } from '../../test/interop/peers.ts'
import { Relay } from '../../test/interop/relays.ts'

/** Rounds of each measurement; the median counts. */
export const ROUNDS = Number(process.env.PINHOLE_BENCH_ROUNDS ?? 3)
/** Both relays, in the order they are measured in. */
export const MAKERS: readonly Maker[] = ['go', 'pinhole']
/** The faces that carry LNC. */
export const FACES = ['grpc', 'websocket'] as const
/** How long one run of the generator may take, in milliseconds. */
export const RUN_MS = 120_000

/** What a table calls the relay. */
export const relayName = (maker: Maker): string => (maker === 'go' ? 'Aperture' : 'Pinhole')

/** Starts the generator, which is still to be ended. */
export const generator = (args: readonly string[]): LineProcess =>
  new LineProcess({ name: 'relay-bench', command: peerBinary('relay-bench'), args })

/** Runs the generator once; resolves with what it reports. */
export async function generate(args: readonly string[]): Promise<Line> {
  const process = generator(args)
  try {
    return await process.line(RUN_MS)
  } finally {
    await process.stop()
  }
}

/** A number of a report. */
export const field = (line: Line, name: string): number => Number(line[name])

/** Runs with both relays up. */
export async function withRelays(
  run: (relays: Record<Maker, Relay>) => Promise<void>,
): Promise<void> {
  const go = await Relay.start('go')
  const pinhole = await Relay.start('pinhole')
  try {
    await run({ go, pinhole })
  } finally {
    await Promise.all([go.stop(), pinhole.stop()])
  }
}
