/** Everything that can be wrong with a hub, looked at side by side. */
import type { Finding } from '../admin/contract.ts'
import { certificateCheck } from './certificate.ts'
import { type Check, type DoctorDeps, failed, type Verdict, wrong } from './check.ts'
import { configCheck } from './config.ts'
import { diskCheck } from './disk.ts'
import { frontCheck } from './front.ts'
import { liquidityCheck } from './liquidity.ts'
import { permissionsCheck } from './permissions.ts'
import { portsCheck } from './ports.ts'
import { reconcileCheck } from './reconcile.ts'
import { relayCheck } from './relay.ts'
import { startCheck } from './start.ts'
import { timeCheck } from './time.ts'
import { upstreamsCheck } from './upstreams.ts'

const CHECKS: readonly Check[] = [
  configCheck,
  startCheck,
  portsCheck,
  certificateCheck,
  relayCheck,
  frontCheck,
  timeCheck,
  permissionsCheck,
  liquidityCheck,
  diskCheck,
  upstreamsCheck,
]

/** What to look at besides. */
export interface DoctorOptions {
  /** Compare the ledger with what the nodes have received. */
  readonly reconcile?: boolean | undefined
}

/** Looks at everything; no check waits for another, and none takes longer than its limit. Never rejects. */
export async function runDoctor(
  deps: DoctorDeps,
  { reconcile = false }: DoctorOptions = {},
): Promise<Finding[]> {
  const checks = reconcile ? [...CHECKS, reconcileCheck] : CHECKS
  const found = await Promise.all(checks.map((check) => findingsOf(check, deps)))
  return found.flat()
}

/** What one check finds, within its time. */
export async function findingsOf(check: Check, deps: DoctorDeps): Promise<Finding[]> {
  const ending = new AbortController()
  let cancel = () => {}
  const late = new Promise<readonly Verdict[]>((resolve) => {
    cancel = deps.clock.after(check.limitMs, () => {
      const text = `the check has not ended within ${check.limitMs / 1_000} s`
      resolve([
        wrong(text, 'Look at the load of the machine and at its network, and run it again.'),
      ])
    })
  })
  try {
    const verdicts = await Promise.race([run(check, deps, ending.signal), late])
    return verdicts.map((verdict) => ({ check: check.name, ...verdict }))
  } finally {
    cancel()
    ending.abort()
  }
}

async function run(
  check: Check,
  deps: DoctorDeps,
  signal: AbortSignal,
): Promise<readonly Verdict[]> {
  try {
    return await check.run(deps, signal)
  } catch (reason) {
    return [failed(reason)]
  }
}
