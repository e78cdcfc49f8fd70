/** Runs a hub, or the sandbox, until a signal ends it. */
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Flags } from '../config/flags.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub } from '../hub.ts'
import { createLogger } from '../logger.ts'
import { sandboxConfig } from '../sandbox/sandbox.ts'
import { checkUnused } from '../sandbox/unused.ts'
import type { ExitCode } from './exit.ts'
import { type Output, writeResult } from './output.ts'
import { runSandbox } from './sandbox.ts'
import { endOnSignal, endOnUncaught, reloadOnSignal } from './signals.ts'
import type { StartOptions } from './start.ts'

/** Runs the hub, or the sandbox, until a signal ends it. */
export async function runHub(
  options: StartOptions,
  flags: Flags,
  output: Output,
): Promise<ExitCode> {
  const { sandbox = false, json = false, basedir, configfile } = options
  const read = () => loadConfig({ basedir, configfile, flags })
  const config = sandbox ? configOfSandbox(options, flags) : read()
  const log = logTo(output, config, json)
  endOnUncaught(log)
  if (sandbox) return runSandbox(config, log, output, json)
  const hub = createHub(config, { log })
  const ended = endOnSignal(hub, 'hub', log)
  reloadOnSignal(hub, read, log)
  const address = await hub.listen()
  log.info({ config: config.configfile || undefined, address }, 'the hub listens')
  writeResult(output, { address }, json)
  return ended
}

/** The sandbox uses nothing of what is set up, and does not let anybody think that it did. */
function configOfSandbox(
  { basedir, configfile, ignoreConfig = false }: StartOptions,
  flags: Flags,
): Config {
  if (configfile !== undefined && configfile !== '') {
    throw new PinholeError('ERR_CLI_USAGE', 'give either --sandbox or --configfile')
  }
  const config = sandboxConfig(flags, basedir)
  if (!ignoreConfig) checkUnused(config.basedir)
  return config
}

function logTo({ stderr }: Output, config: Config, json: boolean): Log {
  const { console } = config.logging
  const terminal = stderr.isTTY === true && !json
  return createLogger(
    {
      debuglevel: console.level || config.debuglevel || 'info',
      pretty: terminal,
      colours: terminal && (console.style || process.env['NO_COLOR'] === undefined),
      timestamps: !console.notimestamps,
    },
    console.disable ? { write: () => {} } : stderr,
  )
}
