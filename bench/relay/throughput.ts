/** As fast as the relay takes it: messages each second, and processor time for each. */
import type { Maker } from '../../test/interop/ends.ts'
import type { Relay } from '../../test/interop/relays.ts'
import { cpuSeconds, fixed, median, ratio, table } from '../measure.ts'
import { FACES, field, generate, MAKERS, ROUNDS, withRelays } from './load.ts'

interface Load {
  readonly face: (typeof FACES)[number]
  readonly size: number
  readonly boxes: number
}

const LOADS: readonly Load[] = FACES.flatMap((face) => [
  ...[1, 10, 100].map((boxes) => ({ face, size: 256, boxes })),
  { face, size: 32_768, boxes: 10 },
])

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

/** Messages each second through 1, 10 and 100 boxes, and the processor time of one. */
export async function throughput(): Promise<void> {
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
