/** One large body, down and up, through an open service. */
import { fixed, median, ratio, table } from '../measure.ts'
import { generate, type Proxy, ROUNDS, type Stage } from './stage.ts'

const BYTES = 100 * 2 ** 20

const WAYS = [
  { name: '100 MiB download', path: `/large/${BYTES}`, flags: [] },
  { name: '100 MiB upload', path: '/large/up', flags: [`--upload=${BYTES}`] },
] as const

async function megabytesPerSecond(url: string, flags: readonly string[]): Promise<number> {
  const { seconds } = await generate(['transfer', `--url=${url}`, ...flags])
  return BYTES / 1e6 / Number(seconds)
}

/** In cleartext and by TLS. */
export async function transfer(stage: Stage): Promise<void> {
  const rows: string[][] = []
  for (const secure of [false, true]) {
    const proxies: Proxy[] = []
    for (const maker of ['pinhole', 'go'] as const) {
      proxies.push(await stage.paywall(maker, secure))
    }
    for (const { name, path, flags } of WAYS) {
      const samples = proxies.map(() => [] as number[])
      for (let round = 0; round < ROUNDS; round++) {
        for (const [n, { url }] of proxies.entries()) {
          samples[n]?.push(await megabytesPerSecond(`${url}${path}`, flags))
        }
      }
      const [ours = Number.NaN, theirs = Number.NaN] = samples.map(median)
      const what = `${name}${secure ? ', TLS' : ''}`
      rows.push([what, fixed(ours, 0), fixed(theirs, 0), ratio(ours, theirs)])
    }
  }
  table(['what', 'Pinhole MB/s', 'Aperture MB/s', 'ratio'], rows)
}
