/** `pinhole config`: the configuration of a running hub, and whether one would be taken. */
import { Command } from 'commander'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import type { ExitCode } from './exit.ts'
import type { Output } from './output.ts'

const HELP = `
Examples:
  pinhole config check
  pinhole config check /etc/pinhole.yaml
  pinhole config show > pinhole.yaml       with the services that were made or changed while the hub ran
`

const CHECK_HELP = `
Each service is shown with where it comes from: config is the file, database was made or changed while a hub ran and wins
by its name, import came from an Aperture. Neither is changed, and no hub is asked; with --hub the hub there judges
the file, and what its own database has.
`

/** The command and those below it. */
export function configCommand({ output, finish }: CommandContext): Command {
  const parent = new Command('config').description('the configuration').addHelpText('after', HELP)
  parent.addCommand(
    hubCommand('show', 'by which a running hub runs, as YAML, without secrets').action(
      (options: ReachOptions) => show(options, output),
    ),
  )
  parent.addCommand(
    hubCommand('check', 'whether a hub would start by it and by what its database has')
      .argument('[file]', 'pinhole.yaml or aperture.yaml in the base folder')
      .addHelpText('after', CHECK_HELP)
      .action(async (file: string | undefined, options: ReachOptions) =>
        finish(await check(file, options, output)),
      ),
  )
  return parent
}

async function show(options: ReachOptions, output: Output): Promise<void> {
  const yaml = await askHub(options, output, (client) => client.exportConfig())
  // YAML is what is to be kept, in a pipe too.
  if (options.json !== true) return void output.stdout.write(yaml)
  const { parse } = await import('yaml')
  output.stdout.write(`${JSON.stringify(parse(yaml))}\n`)
}

async function check(
  file: string | undefined,
  options: ReachOptions,
  output: Output,
): Promise<ExitCode> {
  const { configfile = file, hub } = options
  if (file !== undefined && configfile !== file) {
    throw new PinholeError('ERR_CLI_USAGE', 'give the file once, as argument or as --configfile')
  }
  const { checkByHub, checkConfig } = await import('./check-config.ts')
  if (hub !== undefined) return checkByHub(configfile, options, output)
  return checkConfig({ ...options, ...(configfile === undefined ? {} : { configfile }) }, output)
}
