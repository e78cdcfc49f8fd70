/** `pinhole start`: runs a hub until a signal ends it. */
import type { Command } from 'commander'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub } from '../hub.ts'
import { createLogger } from '../logger.ts'
import { sandboxConfig } from '../sandbox/sandbox.ts'
import { checkUnused } from '../sandbox/unused.ts'
import { command, type CommandContext, type CommonOptions } from './command.ts'
import type { ExitCode } from './exit.ts'
import { addKeyFlags, readKeyFlags } from './key-flags.ts'
import { type Output, writeResult } from './output.ts'
import { runSandbox } from './sandbox.ts'
import { endOnSignal, endOnUncaught, reloadOnSignal } from './signals.ts'

interface StartOptions extends CommonOptions {
  readonly configfile?: string
  readonly sandbox?: boolean
  readonly ignoreConfig?: boolean
}

const EXAMPLES = `
Every key of sample-conf.yaml is a flag too, e.g. --hashmail.staletimeout=2h; flags win over the file.

Examples:
  pinhole start --sandbox                             try it, without any configuration
  pinhole start --hashmail.enabled                    a mailbox relay on https://localhost:8081
  pinhole start --hashmail.enabled --listenaddr :443 --servername relay.example.com
  pinhole start --configfile /etc/aperture.yaml       what Aperture was configured with
`

/** The command. */
export function startCommand({ output, finish }: CommandContext): Command {
  const start = command('start', 'run the hub')
    .option(
      '--configfile <file>',
      'configuration (pinhole.yaml or aperture.yaml in the base folder)',
    )
    .option('--sandbox', 'run without configuration, certificate or money on http://localhost:8081')
    .option(
      '--ignore-config',
      'start the sandbox although there is a configuration or a paired node',
    )
    .addHelpText('after', EXAMPLES)
  return addKeyFlags(start).action(async (options: StartOptions) => {
    finish(await runHub(options, readKeyFlags(start), output))
  })
}

async function runHub(
  options: StartOptions,
  flags: ReturnType<typeof readKeyFlags>,
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
  flags: ReturnType<typeof readKeyFlags>,
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
