/** How tests start code of ours as a process: as they were started themselves, from source or compiled. */
import path from 'node:path'

const ending = path.extname(import.meta.filename)

/** What Node is told before the file that it runs. */
export const NODE_ARGS: readonly string[] = process.execArgv

/** The file of a module of ours, named from the root and without its ending. */
export const fileOf = (module: string): string =>
  path.resolve(import.meta.dirname, `../${module}${ending}`)

/** The command line, as a file to run. */
export const CLI = fileOf('src/cli/main')
