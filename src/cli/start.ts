/** `pinhole start`: runs a hub until a signal ends it. */
import type { Command } from 'commander'
import { command, type CommandContext, type CommonOptions } from './command.ts'
import { addKeyFlags, readKeyFlags } from './key-flags.ts'

/** The flags besides those of the configuration's keys. */
export interface StartOptions extends CommonOptions {
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
    const { runHub } = await import('./run-start.ts')
    finish(await runHub(options, readKeyFlags(start), output))
  })
}
