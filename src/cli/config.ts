/** `pinhole config`: the configuration of a running hub, and whether one would be taken. */
import { Command } from 'commander'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { command } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import type { HubOptions } from './open-rows.ts'
import { type Output, writeResult } from './output.ts'

const HELP = `
Examples:
  pinhole config check
  pinhole config check /etc/pinhole.yaml
  pinhole config show > pinhole.yaml       with the services that were made or changed while the hub ran
`

/** The command and those below it. */
export function configCommand({ output }: CommandContext): Command {
  const parent = new Command('config').description('the configuration').addHelpText('after', HELP)
  parent.addCommand(
    hubCommand('show', 'by which a running hub runs, as YAML, without secrets').action(
      (options: ReachOptions) => show(options, output),
    ),
  )
  parent.addCommand(
    command('check', 'whether a hub would start by it; asks no hub')
      .argument('[file]', 'pinhole.yaml or aperture.yaml in the base folder')
      .option('--configfile <file>', 'the same as the argument')
      .action((file: string | undefined, options: HubOptions) => check(file, options, output)),
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

async function check(file: string | undefined, options: HubOptions, output: Output) {
  const { basedir, configfile = file, json = false } = options
  if (file !== undefined && configfile !== file) {
    throw new PinholeError('ERR_CLI_USAGE', 'give the file once, as argument or as --configfile')
  }
  const [{ loadConfig }, { pendingSections }, { compileServices }, { compileDeps }] =
    await Promise.all([
      import('../config/load.ts'),
      import('../config/pending.ts'),
      import('../../proxy/compile.ts'),
      import('../selling/compile-deps.ts'),
    ])
  const config = loadConfig({ basedir, configfile })
  if (config.configfile === '') {
    const text = `there is no pinhole.yaml or aperture.yaml in ${config.basedir}`
    throw new PinholeError('ERR_CONFIG_FILE', text)
  }
  compileServices(config.services, compileDeps(config))
  writeResult(output, { file: config.configfile, services: config.services.length }, json)
  for (const key of pendingSections(config)) {
    output.stderr.write(`${key} is set, but this version does not act on it.\n`)
  }
}
