/** A command of ours as a process, from source. */
import path from 'node:path'
import { LineProcess } from './line-process.ts'

const CLI = path.resolve(import.meta.dirname, '../../src/cli/main.ts')

/** Starts `pinhole <command> <args>`; its results come as lines of JSON. */
export function pinhole(command: string, ...args: readonly string[]): LineProcess {
  return new LineProcess({
    name: `pinhole ${command}`,
    command: process.execPath,
    args: ['--import', 'tsx', CLI, command, ...args],
  })
}
