/** The command line as a whole; each command has a file of its own. */
import { Command, CommanderError } from 'commander'
import { VERSION } from '../version.ts'
import { type CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { type Output, writeError } from './output.ts'

type Make = (context: CommandContext) => Command

/** Each command's own modules are loaded when it is called, or when all are to be listed. */
const COMMANDS: Readonly<Record<string, () => Promise<Make>>> = {
  start: async () => (await import('./start.ts')).startCommand,
  fetch: async () => (await import('./fetch.ts')).fetchCommand,
  pair: async () => (await import('./pair.ts')).pairCommand,
  node: async () => (await import('./node.ts')).nodeCommand,
  agent: async () => (await import('./agent.ts')).agentCommand,
  import: async () => (await import('./import.ts')).importCommand,
  info: async () => (await import('./info.ts')).infoCommand,
  health: async () => (await import('./info.ts')).healthCommand,
  service: async () => (await import('./service.ts')).serviceCommand,
  transaction: async () => (await import('./transaction.ts')).transactionCommand,
  token: async () => (await import('./token.ts')).tokenCommand,
  stats: async () => (await import('./stats.ts')).statsCommand,
  config: async () => (await import('./config.ts')).configCommand,
  backup: async () => (await import('./backup.ts')).backupCommand,
  logs: async () => (await import('./logs.ts')).logsCommand,
  events: async () => (await import('./events.ts')).eventsCommand,
  schema: async () => (await import('./schema.ts')).schemaCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
  admin: async () => (await import('./admin.ts')).adminCommand,
  mcp: async () => (await import('./mcp.ts')).mcpCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
}

/** The command that `args` begin with, else all of them. */
function makersFor([name = '']: readonly string[]): Promise<Make[]> {
  const named = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  return Promise.all((named ? [named] : Object.values(COMMANDS)).map((load) => load()))
}

const HELP = `
Examples:
  pinhole start --sandbox              try it, without any configuration
  pinhole start --hashmail.enabled     host a mailbox relay
  pinhole pair                         pair the node that invoices come from
  pinhole fetch --help                 ask a server for something, and pay for it
  pinhole start --help                 flags and more examples
  pinhole agent --help                 make an lnd reachable that has no litd

Environment:
  PINHOLE_BASEDIR      base folder instead of ~/.pinhole
  PINHOLE_SECRET       encrypts the keys of paired nodes, in place of node.key
  NODE_EXTRA_CA_CERTS  file of further certificates to trust
  NO_COLOR             no colours

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
  for (const make of await makersFor([])) program.addCommand(make(context))
  return program
}

/** Runs the command line `args` (without node and script) and returns the exit code. */
export async function run(args: readonly string[], output: Output): Promise<ExitCode> {
  const program = topOf()
  let code: ExitCode = Exit.ok
  const finish = (reached: ExitCode) => {
    code = reached
  }
  for (const make of await makersFor(args)) program.addCommand(make({ output, finish }))
  for (const part of withBelow(program)) {
    part.exitOverride().configureOutput({
      writeOut: (text) => void output.stdout.write(text),
      writeErr: (text) => void output.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'pinhole: ')),
    })
    part.showHelpAfterError(`See ${pathOf(part)} --help.`)
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
    return writeError(output, error, args.includes('--json'))
  }
}
