/** `pinhole init`: writes a first configuration, from four answers. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { PinholeError } from '../base/errors.ts'
import { basedirOf, command, type CommandContext } from './command.ts'
import type { InitAnswers, InitGiven } from './init-questions.ts'
import type { HubOptions } from './open-rows.ts'
import { type Output, writeResult } from './output.ts'

interface InitOptions extends HubOptions, InitGiven {
  readonly force?: boolean
}

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

const HELP = `
On a terminal what is not given is asked for. Elsewhere --address and --price are needed; without --servername the hub
is reached from this machine only, and without --lnd its node is paired later (pinhole pair).

Examples:
  pinhole init
  pinhole init --servername api.example.com --address localhost:9000 --price 10
  pinhole init --address localhost:9000 --price 10 --lnd localhost:10009 --network testnet
`

/** The command. */
export function initCommand({ output }: CommandContext): Command {
  return command('init', 'write a first configuration')
    .option('--servername <name>', 'name that clients dial')
    .option('--address <host:port>', 'the API to sell')
    .option('--price <sats>', 'satoshis for a token')
    .option('--lnd <host:port>', "gRPC of the node's lnd, where it is not paired by ten words")
    .option('--lnddir <dir>', 'folder of that lnd (~/.lnd)')
    .option('--network <name>', 'of that lnd (mainnet)')
    .option('--configfile <file>', 'where to write (pinhole.yaml in the base folder)')
    .option('--force', 'write over a configuration that is there')
    .addHelpText('after', HELP)
    .action((options: InitOptions) => init(options, output))
}

async function init(options: InitOptions, output: Output): Promise<void> {
  const { configfile, force = false, json = false } = options
  const file = path.resolve(configfile ?? path.join(basedirOf(options), 'pinhole.yaml'))
  if (!force) refuseExisting(file, configfile === undefined)
  const { readAnswers } = await import('./init-questions.ts')
  const answers = await readAnswers(options, process.stdin, output)
  const { firstConfig } = await import('./first-config.ts')
  write(file, firstConfig(answers), force)
  writeResult(output, { file }, json)
  output.stderr.write(nextSteps(answers, configfile === undefined ? '' : ` --configfile ${file}`))
}

/** Nobody's configuration is written over, or put out of use by one that is found before it. */
function refuseExisting(file: string, inBasedir: boolean): void {
  const beside = inBasedir ? [path.join(path.dirname(file), 'aperture.yaml')] : []
  const found = [file, ...beside].find((one) => existsSync(one))
  if (found === undefined) return
  const text = `${found} exists already; --force writes ${file} all the same`
  throw new PinholeError('ERR_CLI_USAGE', text)
}

function write(file: string, text: string, force: boolean): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER })
    writeFileSync(file, text, { mode: OWNER_ONLY_FILE, flag: force ? 'w' : 'wx' })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_CLI_USAGE', `${file} cannot be written: ${reason}`, { cause })
  }
}

const nextSteps = ({ lnd }: InitAnswers, flags: string): string =>
  [
    'Then:',
    ...(lnd === undefined ? [`  pinhole pair${flags}      with the ten words of your node`] : []),
    `  pinhole start${flags}     run the hub`,
    `  pinhole doctor${flags}    find out what is missing`,
    '',
  ].join('\n')
