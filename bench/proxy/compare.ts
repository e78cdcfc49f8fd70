/** Measures one thing of several proxies, in turn, and lays the medians side by side. */
import { loadavg } from 'node:os'
import { cpuSeconds, fixed, median, ratio, table } from '../measure.ts'
import type { Taken } from './http1.ts'
import { type Name, type Proxy, ROUNDS } from './stage.ts'

/** One thing to measure of one proxy. */
export interface Contender {
  readonly proxy: Proxy
  readonly run: () => Promise<Taken>
}

/** The medians of one proxy. */
interface Medians extends Taken {
  readonly name: Name
  /** Processor time of a request, in µs. */
  readonly cpuMicros: number
}

/** The row of each contender. */
export async function compare(
  what: string,
  contenders: readonly Contender[],
): Promise<readonly string[][]> {
  const samples = contenders.map(() => [] as (Taken & { cpuMicros: number })[])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, { proxy, run }] of contenders.entries()) {
      const [startedMs, before] = [performance.now(), cpuSeconds(proxy.pid)]
      const taken = await run()
      const requests = (taken.perSecond * (performance.now() - startedMs)) / 1_000
      const cpuMicros = ((cpuSeconds(proxy.pid) - before) * 1e6) / requests
      samples[n]?.push({ ...taken, cpuMicros })
    }
  }
  const medians = contenders.map(({ proxy: { name } }, n): Medians => {
    const of = (key: keyof Taken | 'cpuMicros') =>
      median((samples[n] ?? []).map((sample) => sample[key]))
    return {
      name,
      perSecond: of('perSecond'),
      p50: of('p50'),
      p99: of('p99'),
      cpuMicros: of('cpuMicros'),
    }
  })
  const ours = medians.find(({ name }) => name === 'Pinhole')?.perSecond ?? Number.NaN
  return medians.map(({ name, perSecond, p50, p99, cpuMicros }) => [
    what,
    name,
    fixed(perSecond, 0),
    fixed(p50, 2),
    fixed(p99, 2),
    // Of nginx it is the master's, who does nothing.
    name === 'nginx' ? '–' : fixed(cpuMicros, 0),
    name === 'Pinhole' ? '' : ratio(ours, perSecond),
  ])
}

/** Prints rows of `compare`. */
export function show(rows: readonly string[][]): void {
  const head = ['what', 'proxy', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'Pinhole is']
  table(head, rows)
  console.log(`load average ${fixed(loadavg()[0] ?? Number.NaN)}\n`)
}
