/** The command line as a whole; each command has a file of its own. */
import { Command, CommanderError } from 'commander'
import { PinholeError } from '../base/errors.ts'
import { VERSION } from '../version.ts'
import type { CommandContext } from './command.ts'
import { COMMANDS } from './commands.ts'
import { Exit, type ExitCode } from './exit.ts'
import { type Output, writeError } from './output.ts'

/** The command that `args` begin with; all of them by their names alone where it is none. */
async function commandsFor([name = '']: readonly string[], context: CommandContext) {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (entry) return [(await entry.load())(context)]
  return Object.entries(COMMANDS).map(([known, { summary }]) =>
    new Command(known).description(summary),
  )
}

const HELP = `
Examples:
  pinhole start --sandbox              try it, without any configuration
  pinhole pair                         pair the node that invoices come from
  pinhole fetch --help                 ask a server for something, and pay for it
  pinhole service --help               say what a running hub sells
  pinhole doctor                       find out what is wrong

Environment:
  PINHOLE_BASEDIR      base folder instead of ~/.pinhole
  PINHOLE_HUB          address of the running hub that commands are for
  PINHOLE_MACAROON     macaroon to come to it with: a file, or hex
  PINHOLE_SECRET       encrypts the keys of paired nodes, in place of node.key
  NODE_EXTRA_CA_CERTS  file of further certificates to trust
  NO_COLOR             no colours

Results go to stdout, as tables on a terminal and as JSON elsewhere; all other words go to stderr.
Exit codes: 0 ok, 1 general, 2 usage, 3 connection, 4 auth, 5 not found, 10 dry run.
`

/** `command` and all commands below it. */
const withBelow = (command: Command): Command[] => [command, ...command.commands.flatMap(withBelow)]

/** What to type for `command`. */
const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()

const topOf = (): Command =>
  new Command('pinhole')
    .description('Sell an API for bitcoin over Lightning without opening a port on the node')
    .version(VERSION, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', HELP)

/** The whole command line, not to be run: what there is. */
export async function programWithAll(): Promise<Command> {
  const program = topOf()
  const nowhere = { write: () => {} }
  const context = { output: { stdout: nowhere, stderr: nowhere }, finish: () => {} }
  const makes = await Promise.all(Object.values(COMMANDS).map(({ load }) => load()))
  for (const make of makes) program.addCommand(make(context))
  return program
}

/** Whoever reads has enough (`| head`). */
const isReaderGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EPIPE'

/** Runs the command line `args` (without node and script) and returns the exit code. */
export async function run(args: readonly string[], output: Output): Promise<ExitCode> {
  const program = topOf()
  const json = args.includes('--json')
  let code: ExitCode = Exit.ok
  const finish = (reached: ExitCode) => {
    code = reached
  }
  for (const command of await commandsFor(args, { output, finish })) program.addCommand(command)
  for (const part of withBelow(program)) {
    part.exitOverride().configureOutput({
      writeOut: (text) => void output.stdout.write(text),
      writeErr: (text) => void output.stderr.write(text),
      outputError: (text, write) => {
        const said = text.replace(/^error: /, '')
        if (json) writeError(output, new PinholeError('ERR_CLI_USAGE', said.trim()), json)
        else write(`pinhole: ${said}`)
      },
    })
    if (!json) part.showHelpAfterError(`See ${pathOf(part)} --help.`)
  }
  if (args.length === 0) {
    program.outputHelp({ error: true })
    return Exit.usage
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage
    if (isReaderGone(error)) return Exit.ok
    return writeError(output, error, json)
  }
}
