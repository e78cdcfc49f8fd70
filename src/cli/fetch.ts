/** `pinhole fetch`: asks a server for something and pays when it wants to be paid. */
import type { Command } from 'commander'
import { PinholeError } from '../base/errors.ts'
import { command, type CommandContext } from './command.ts'
import { collect } from './numbers.ts'
import type { WalletOptions } from './wallet.ts'

/** The flags. */
export interface FetchFlags extends Omit<WalletOptions, 'url'> {
  readonly maxSats?: number
  readonly request?: string
  readonly header?: readonly string[]
  readonly data?: string
  readonly output?: string
  readonly include?: boolean
}

const HELP = `
Without --max-sats nothing is paid. It is the most that one token may cost, routing included. Tokens are kept
in the folder tokens in the base folder and shown again; a payment that was cut off is found again.

Examples:
  pinhole fetch https://api.example.com/weather --max-sats 50
  pinhole fetch https://api.example.com/ask --max-sats 200 -d '{"q":"?"}' -H 'content-type: application/json'
  pinhole fetch http://localhost:8081/paid --max-sats 20 --sandbox

Ends with 0 when the answer's status is below 400, 4 for 401, 402 and 403, 5 for 404 and 410, 1 for others.
`

/** The command. */
export function fetchCommand({ output, finish }: CommandContext): Command {
  return command('fetch', 'ask a server for something, and pay for it')
    .argument('<url>')
    .option('--max-sats <n>', 'most that a token may cost, in satoshis (0)', satsOf)
    .option('--node <name>', 'paired node to pay from (the only one)')
    .option('-X, --request <method>', 'method (GET; with -d POST)')
    .option('-H, --header <line>', 'header to send, `name: value`; may be repeated', collect)
    .option('-d, --data <text>', 'body to send; @file reads it from a file, @- from stdin')
    .option('-o, --output <file>', 'write the answer there in place of stdout')
    .option('-i, --include', 'show status and headers of the answer too')
    .option('--sandbox', 'pay from the simulated buyer of the sandbox that is asked')
    .option('--configfile <file>', 'configuration of the hub whose nodes are meant')
    .addHelpText('after', HELP)
    .action(async (url: string, flags: FetchFlags) => {
      const { runFetch } = await import('./run-fetch.ts')
      finish(await runFetch(url, flags, output))
    })
}

function satsOf(text: string): number {
  if (/^\d{1,12}(\.\d{1,3})?$/.test(text)) return Number(text)
  throw new PinholeError('ERR_CLI_USAGE', `--max-sats is a number of satoshis, not ${text}`)
}
