/** `pinhole schema`: what the configuration, the admin API and the command line look like, for programs. */
import type { Command } from 'commander'
import { PinholeError } from '../base/errors.ts'
import { command, type CommandContext, type CommonOptions } from './command.ts'

interface SchemaOptions extends CommonOptions {
  readonly openapi?: boolean
  readonly commands?: boolean
}

const HELP = `
Examples:
  pinhole schema > pinhole.schema.json     then at the top of pinhole.yaml, for editors:
                                           # yaml-language-server: $schema=pinhole.schema.json
  pinhole schema --openapi > admin.json
  pinhole schema --commands
`

/** The command. */
export function schemaCommand({ output }: CommandContext): Command {
  return command('schema', 'the JSON Schema of the configuration')
    .option('--openapi', 'the OpenAPI document of the admin API instead')
    .option('--commands', 'every command with its flags instead')
    .addHelpText('after', HELP)
    .action(async (options: SchemaOptions) => {
      output.stdout.write(`${JSON.stringify(await documentOf(options), null, 2)}\n`)
    })
}

async function documentOf({ openapi = false, commands = false }: SchemaOptions): Promise<unknown> {
  if (openapi && commands) {
    throw new PinholeError('ERR_CLI_USAGE', 'give either --openapi or --commands')
  }
  if (openapi) return (await import('../admin/openapi.ts')).openApi()
  if (commands) return (await import('./command-tree.ts')).commandTree()
  return (await import('./config-schema.ts')).configSchema()
}
