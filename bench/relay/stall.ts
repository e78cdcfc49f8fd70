/** A reader that stops reading while its writer floods: do the others' lone messages notice? */
import { setTimeout as sleep } from 'node:timers/promises'
import { fixed, median, ratio, table } from '../measure.ts'
import { flood } from './flood.ts'
import { FACES, field, generate, MAKERS, relayName, ROUNDS, withRelays } from './load.ts'

const FLOOD_MESSAGES = 2000
const SETTLE_MS = 500

/** p99 of lone messages through other boxes, without and with the stalled box, in turn. */
export async function stall(): Promise<void> {
  const rows: string[][] = []
  await withRelays(async (relays) => {
    for (const face of FACES) {
      for (const maker of MAKERS) {
        const { address } = relays[maker]
        const p99 = async (): Promise<number> =>
          field(
            await generate(['lone', `--relay=${address}`, `--send=${face}`, '--count=20000']),
            'p99Ms',
          )
        const alone: number[] = []
        const beside: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          alone.push(await p99())
          const { end } = await flood({
            address,
            boxes: 1,
            messages: FLOOD_MESSAGES,
            stalledReader: true,
          })
          await sleep(SETTLE_MS)
          beside.push(await p99())
          end()
          await sleep(SETTLE_MS)
        }
        const [without, withIt] = [median(alone), median(beside)]
        rows.push([
          face,
          relayName(maker),
          fixed(without, 2),
          fixed(withIt, 2),
          ratio(withIt, without),
        ])
      }
    }
  })
  table(['face', 'relay', 'p99 ms alone', 'p99 ms beside a stall', 'ratio'], rows)
}
