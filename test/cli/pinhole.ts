/** Runs one command line within the test's own process. */
import { run } from '../../src/cli/program.ts'

/** What a command line came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Of stdout, or of stderr when that is empty. */
  readonly json: () => unknown
}

/** Runs `pinhole` with `args`, its output not on a terminal. */
export const pinhole = (...args: readonly string[]): Promise<Ran> => ran(args, false)

/** The same on a terminal. */
export const onTerminal = (...args: readonly string[]): Promise<Ran> => ran(args, true)

async function ran(args: readonly string[], isTTY: boolean): Promise<Ran> {
  const texts = { out: '', err: '' }
  const code = await run(args, {
    stdout: { isTTY, write: (text: string) => void (texts.out += text) },
    stderr: { isTTY, write: (text: string) => void (texts.err += text) },
  })
  return { code, ...texts, json: (): unknown => JSON.parse(texts.out || texts.err) }
}
