import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import type { ExitCode } from './exit.ts'
import type { Output } from './output.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly basedir?: string
  readonly json?: boolean
}

/** What commands are made with. */
export interface CommandContext {
  readonly output: Output
  /** Tells how the command ended; `Exit.ok` unless called. */
  readonly finish: (code: ExitCode) => void
}

/** A command with the options that every command has. */
export function command(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .option('--basedir <dir>', 'folder of configuration, certificate and state (~/.pinhole)')
    .option('--json', 'results and errors as JSON')
}

/** The base folder, of commands that read no configuration. */
export function basedirOf({ basedir }: CommonOptions): string {
  const given = basedir ?? process.env['PINHOLE_BASEDIR'] ?? path.join(os.homedir(), '.pinhole')
  return path.resolve(given)
}
