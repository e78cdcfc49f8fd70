/** `pinhole doctor`: what is wrong, and what to do about it. */
import type { Command } from 'commander'
import type { Finding } from '../admin/contract.ts'
import { systemClock } from '../base/clock.ts'
import { isPinholeError, type PinholeError } from '../base/errors.ts'
import { loadConfig } from '../config/load.ts'
import { holdProcess } from '../../mailbox/hold-process.ts'
import type { CommandContext } from './command.ts'
import { Exit } from './exit.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { type Output, writeAnswer } from './output.ts'

interface DoctorOptions extends ReachOptions {
  readonly reconcile?: boolean
}

/** Listing what a busy node has received takes its time. */
const ASK_MS = 150_000

const HELP = `
Asks the running hub. Where none runs, it looks at the configuration, its files, the services and nodes of the
database, the ports and the upstreams.
Ends with 1 when something is wrong, with 0 when there are warnings only.

Examples:
  pinhole doctor
  pinhole doctor --reconcile     does the ledger agree with what the nodes have received?
`

/** The command. */
export function doctorCommand({ output, finish }: CommandContext): Command {
  return hubCommand('doctor', 'says what is wrong with a hub and what to do about it')
    .option('--reconcile', 'compare the ledger with what the nodes have received')
    .addHelpText('after', HELP)
    .action(async (options: DoctorOptions) => {
      const findings = await find(options, output)
      show(findings, output, options.json ?? false)
      if (findings.some(({ level }) => level === 'error')) finish(Exit.general)
    })
}

/** From the hub when one runs, and when it was not named. */
async function find(options: DoctorOptions, output: Output): Promise<readonly Finding[]> {
  const { reconcile = false } = options
  try {
    const { findings } = await askHub(options, output, (client) =>
      client.runDoctor({ reconcile }, { timeoutMs: ASK_MS }),
    )
    return findings
  } catch (reason) {
    const named = options.hub !== undefined || process.env['PINHOLE_HUB'] !== undefined
    if (named || !isAbsent(reason)) throw reason
    output.stderr.write(`${reason.message}: looking at the configuration only.\n`)
    return await lookAlone(options)
  }
}

/** Nothing listens, or nobody was ever let in. */
function isAbsent(reason: unknown): reason is PinholeError {
  return isPinholeError(reason, 'ERR_HUB_UNREACHABLE', 'ERR_ADMIN_OFF', 'ERR_ADMIN_MACAROON')
}

async function lookAlone({ basedir, configfile, reconcile }: DoctorOptions): Promise<Finding[]> {
  const config = loadConfig({ basedir, configfile })
  const { runDoctor } = await import('../doctor/doctor.ts')
  const { startable } = await import('./startable.ts')
  const release = holdProcess()
  try {
    const { services } = config
    const unknown = { address: undefined, outside: undefined, nodes: undefined, ledger: undefined }
    const alone = { clock: systemClock, startable: () => startable(config) }
    return await runDoctor({ config, services, ...unknown, ...alone }, { reconcile })
  } finally {
    release()
  }
}

const MARKS: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok',
  skipped: '-',
  warning: 'warning',
  error: 'ERROR',
}

function show(findings: readonly Finding[], output: Output, json: boolean): void {
  writeAnswer(output, json, { findings }, () => ({
    rows: findings.map(({ check, level, text }) => ({ level: MARKS[level], check, text })),
    none: 'Nothing was looked at.',
    remark: findings
      .filter(({ advice }) => advice !== '')
      .map(({ check, advice }) => `${check}: ${advice}`)
      .join('\n'),
  }))
}
