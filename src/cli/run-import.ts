/** Brings over what an Aperture has sold and paired. */
import path from 'node:path'
import { systemClock } from '../base/clock.ts'
import { loadConfig, type LoadOptions } from '../config/load.ts'
import { databasePlace } from '../store/aperture/beside.ts'
import { importAperture, type ImportReport } from '../store/aperture/import.ts'
import { Exit, type ExitCode } from './exit.ts'
import type { ImportFlags } from './import.ts'
import { type Output, writeResult } from './output.ts'

/** Imports, and says what came over. */
export function runImport(file: string, flags: ImportFlags, output: Output): ExitCode {
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
