/** `pinhole import`: brings over what an Aperture has sold and paired. */
import path from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../base/clock.ts'
import { loadConfig, type LoadOptions } from '../config/load.ts'
import { databasePlace } from '../store/aperture/beside.ts'
import { importAperture, type ImportReport } from '../store/aperture/import.ts'
import { command, type CommandContext, type CommonOptions } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { type Output, writeResult } from './output.ts'

interface ImportFlags extends CommonOptions {
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
    .action((file: string, flags: ImportFlags) => finish(runImport(file, flags, output)))
}

function runImport(file: string, flags: ImportFlags, output: Output): ExitCode {
  const { basedir, configfile, into, dryRun = false, json = false } = flags
  const target = path.resolve(into ?? configuredDatabase({ basedir, configfile }))
  const report = importAperture(path.resolve(file), target, { clock: systemClock, dryRun })
  writeResult(output, { database: target, dryRun, ...report }, json)
  for (const line of remarks(report)) output.stderr.write(`${line}\n`)
  return dryRun ? Exit.dryRun : Exit.ok
}

/** Ours, also where the configuration names the Aperture's. */
function configuredDatabase(options: LoadOptions): string {
  return databasePlace(loadConfig(options).sqlite.databasefilename).file
}

function remarks({ open, openMppSessions, skipped }: ImportReport): string[] {
  const lines: string[] = []
  if (open) {
    lines.push(
      'That Aperture was not closed. If it still runs, stop it and run this command again.',
    )
  }
  if (openMppSessions > 0) {
    lines.push(
      `${openMppSessions} prepaid sessions (MPP) stay with Aperture; their deposits do too.`,
    )
  }
  if (skipped > 0) lines.push(`${skipped} rows could not be used.`)
  return lines
}
