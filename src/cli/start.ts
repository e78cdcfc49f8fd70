/** `pinhole start`: runs a hub until a signal ends it. */
import type { Command } from 'commander'
import type { Log } from '../base/log.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub } from '../hub.ts'
import { createLogger } from '../logger.ts'
import { createSandbox, sandboxConfig, type SandboxNode } from '../sandbox/sandbox.ts'
import { command, type CommandContext, type CommonOptions } from './command.ts'
import type { ExitCode } from './exit.ts'
import { addKeyFlags, readKeyFlags } from './key-flags.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import { endOnSignal, endOnUncaught, reloadOnSignal } from './signals.ts'

interface StartOptions extends CommonOptions {
  readonly configfile?: string
  readonly sandbox?: boolean
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
  const config = sandbox ? sandboxConfig(flags) : read()
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

async function runSandbox(
  config: Config,
  log: Log,
  output: Output,
  json: boolean,
): Promise<ExitCode> {
  const sandbox = createSandbox(config, log)
  const ended = endOnSignal(sandbox, 'sandbox', log)
  const address = await sandbox.listen()
  log.info({ address, simulated: true }, 'the sandbox listens')
  const { node } = sandbox
  if (wantsJson(output, json) || !node) writeResult(output, { address, ...node }, json)
  else output.stdout.write(welcome(address, node))
  return ended
}

const welcome = (address: string, { alias, pubkey, phrase }: SandboxNode): string => `
relay    ${address}
node     ${alias}, ${pubkey}
         simulated, reached through this relay over Lightning Node Connect
phrase   ${phrase}
         pairs one program of yours with the node:
         connect({ mailbox: '${address}', phrase: '${phrase}' })

No real money moves. Ctrl-C ends it.
`

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
