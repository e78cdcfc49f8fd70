/** `pinhole import`: brings over what an Aperture has sold and paired. */
import type { Command } from 'commander'
import { command, type CommandContext, type CommonOptions } from './command.ts'

/** The flags. */
export interface ImportFlags extends CommonOptions {
  readonly configfile?: string
  readonly into?: string
  readonly dryRun?: boolean
}

const HELP = `
Brings over root keys, so that tokens bought from Aperture go on working, transactions, services of its admin
API, the LNC session and the onion key. Aperture's file is only read. Stop that Aperture first; what is here
already is left alone, so that the command can be run again.

Examples:
  pinhole import ~/.aperture/aperture.db
  pinhole import ~/.aperture/aperture.db --configfile ~/.aperture/aperture.yaml
  pinhole import ~/.aperture/aperture.db --dry-run
`

/** The command. */
export function importCommand({ output, finish }: CommandContext): Command {
  return command('import', 'bring over the database of an Aperture')
    .argument('<file>', "Aperture's SQLite database (aperture.db)")
    .option('--configfile <file>', 'configuration that names our database')
    .option('--into <file>', 'database to bring it into (sqlite.databasefilename)')
    .option('--dry-run', 'only count; ends with 10')
    .addHelpText('after', HELP)
    .action(async (file: string, flags: ImportFlags) => {
      const { runImport } = await import('./run-import.ts')
      finish(runImport(file, flags, output))
    })
}
