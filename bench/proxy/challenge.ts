/** How long a 402 takes when the node is 300 ms away over LNC. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { delayProxy } from '../../test/interop/delay-proxy.ts'
import type { Line } from '../../test/interop/line-process.ts'
import { pinhole } from '../../test/interop/pinhole.ts'
import { Relay } from '../../test/interop/relays.ts'
import { fixed, median, table } from '../measure.ts'
import { giveWay } from './far.ts'
import { generate, ROUNDS, SECONDS, type Stage } from './stage.ts'

const ROUND_TRIP_MS = 300
const PER_SECOND = 200
const AGENT_START_MS = 20_000

/** What the pool learns the demand in, before anything is measured. */
const WARM_UP = '10s'

/** A pairing phrase of the payee, which an agent brings to a relay of ours. */
async function behindRelay(stage: Stage): Promise<{ phrase: string; mailbox: string }> {
  const { payee } = stage.simnet
  const keep = (end: () => Promise<unknown>) => stage.keep(end)
  const relay = await Relay.start('pinhole')
  keep(() => relay.stop())
  const far = await delayProxy(relay.address, ROUND_TRIP_MS / 2)
  keep(() => far.close())
  const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-bench-agent-'))
  keep(() => rm(folder, { recursive: true, force: true }))
  const flags = [
    ['--lnd', payee.grpcHost],
    ['--tls', payee.tlsCertPath],
    ['--macaroon', payee.macaroonPath('admin')],
    ['--mailbox', relay.address],
    ['--basedir', folder],
  ].flat()
  const agent = pinhole('agent', ...flags, '--insecure-tls', '--json')
  keep(() => agent.stop('SIGTERM'))
  const { phrase } = await agent.lineWith('phrase', AGENT_START_MS)
  for (const pid of [payee.pid, relay.pid, agent.pid]) if (pid !== undefined) giveWay(pid)
  return { phrase: String(phrase), mailbox: far.address }
}

/** Latency of 402 at a steady rate, with the statuses that came. */
export async function challenge(stage: Stage): Promise<void> {
  const node = { by: 'lnc', ...(await behindRelay(stage)) } as const
  const proxy = await stage.paywall('pinhole', false, node)
  await stage.buy(proxy, '/paid')
  await sleep(2_000)
  const flags = [`--url=${proxy.url}/paid`, `--per-second=${PER_SECOND}`]
  await generate(['rate', ...flags, `--duration=${WARM_UP}`])
  const samples: Line[] = []
  for (let round = 0; round < ROUNDS; round++) {
    samples.push(await generate(['rate', ...flags, `--duration=${SECONDS}s`]))
  }
  const of = (key: 'p50' | 'p99' | 'max') => samples.map((sample) => Number(sample[key]))
  table(
    ['402, LNC round trip 300 ms', 'p50 ms', 'p99 ms', 'worst ms', 'statuses'],
    [
      [
        `${PER_SECOND} each second`,
        fixed(median(of('p50')), 2),
        fixed(median(of('p99')), 2),
        fixed(Math.max(...of('max'))),
        samples.map(({ statuses }) => JSON.stringify(statuses)).join(' '),
      ],
    ],
  )
}
