/** Resident memory under paid and open requests, for PINHOLE_BENCH_MEMORY_SECONDS. */
import { fixed, median, residentBytes, table } from '../measure.ts'
import { load } from './http1.ts'
import type { Stage } from './stage.ts'

const MEMORY_SECONDS = Number(process.env.PINHOLE_BENCH_MEMORY_SECONDS ?? 60)
const CONNECTIONS = 32
const SLICE_SECONDS = 5

/** A sample after each five seconds of paid and open requests in turn. */
export async function memory(stage: Stage): Promise<void> {
  const proxy = await stage.paywall('pinhole', false)
  const authorization = await stage.buy(proxy, '/paid')
  const samples: number[] = []
  const before = residentBytes(proxy.pid)
  let requests = 0
  for (let at = 0; at < MEMORY_SECONDS; at += SLICE_SECONDS) {
    const isPaid = samples.length % 2 === 0
    const taken = await load({
      url: `${proxy.url}${isPaid ? '/paid' : '/open'}`,
      connections: CONNECTIONS,
      seconds: SLICE_SECONDS,
      authorization: isPaid ? authorization : undefined,
    })
    requests += taken.perSecond * SLICE_SECONDS
    samples.push(residentBytes(proxy.pid))
  }
  const mib = (bytes: number) => `${fixed(bytes / 2 ** 20)} MiB`
  const quarter = Math.max(1, samples.length >> 2)
  const rows = [
    ['before', mib(before)],
    ['second quarter, median', mib(median(samples.slice(quarter, 2 * quarter)))],
    ['last quarter, median', mib(median(samples.slice(-quarter)))],
    ['most', mib(Math.max(...samples))],
  ]
  table([`resident, ${MEMORY_SECONDS} s, ${fixed(requests / 1e6, 2)} M requests`, 'Pinhole'], rows)
}
