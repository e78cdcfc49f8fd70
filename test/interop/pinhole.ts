/** A command of ours as a process. */
import { CLI, NODE_ARGS } from '../process.ts'
import { LineProcess } from './line-process.ts'

/** Starts `pinhole <command> <args>`; its results come as lines of JSON. */
export function pinhole(command: string, ...args: readonly string[]): LineProcess {
  return new LineProcess({
    name: `pinhole ${command}`,
    command: process.execPath,
    args: [...NODE_ARGS, CLI, command, ...args],
  })
}
