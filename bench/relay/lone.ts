/** One message at a time through an idle box: from send to receipt. */
import type { Line } from '../../test/interop/line-process.ts'
import { fixed, median, table } from '../measure.ts'
import { FACES, field, generate, MAKERS, relayName, ROUNDS, withRelays } from './load.ts'

/** p50 and p99 of lone messages. */
export async function lone(): Promise<void> {
  const rows: string[][] = []
  await withRelays(async (relays) => {
    for (const face of FACES) {
      for (const maker of MAKERS) {
        const lines: Line[] = []
        for (let round = 0; round < ROUNDS; round++) {
          lines.push(
            await generate([
              'lone',
              '--count=20000',
              `--relay=${relays[maker].address}`,
              `--send=${face}`,
            ]),
          )
        }
        const of = (name: string): string =>
          fixed(median(lines.map((line) => field(line, name))), 2)
        rows.push([face, relayName(maker), of('p50Ms'), of('p99Ms')])
      }
    }
  })
  table(['face', 'relay', 'p50 ms', 'p99 ms'], rows)
}
