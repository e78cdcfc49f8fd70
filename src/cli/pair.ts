/** `pinhole pair`: pairs a node by the ten words that it showed, and keeps it for the hub. */
import type { Command } from 'commander'
import { DEFAULT_MAILBOX } from '../default-mailbox.ts'
import type { CommandContext } from './command.ts'
import { hubCommand, type ReachOptions } from './hub-client.ts'

/** The flags. */
export interface PairFlags extends ReachOptions {
  readonly mailbox?: string
  readonly name?: string
  readonly insecureTls?: boolean
}

const HELP = `
The words work once. What they are exchanged for is stored encrypted, under node.key in the base folder or
under the environment's PINHOLE_SECRET. Given as arguments they stay in the shell's history: leave them out
to be asked, or send them on stdin. A hub that runs with its admin API (admin.enabled) pairs by itself and uses the
node at once; another takes it in at SIGHUP or when it is restarted.

A session of litd with just the permissions needed:
  litcli sessions add --label pinhole --type custom --uri /lnrpc.Lightning/GetInfo \\
    --uri /lnrpc.Lightning/AddInvoice --uri /lnrpc.Lightning/LookupInvoice \\
    --uri /lnrpc.Lightning/SubscribeInvoices

Examples:
  pinhole pair
  pinhole pair --name shop --mailbox relay.example.com:443 "ten words of the node"

Ends with 4 when the session allows neither selling nor paying.
`

/** The command. */
export function pairCommand({ output, finish }: CommandContext): Command {
  return hubCommand('pair', 'pair a node by its phrase')
    .argument('[words...]', 'the ten words; asked for when left out')
    .option('--mailbox <host:port>', `mailbox relay of the node (${DEFAULT_MAILBOX})`)
    .option('--name <name>', 'what to call the node (its alias)')
    .option('--insecure-tls', 'accept any certificate of the relay')
    .addHelpText('after', HELP)
    .action(async (words: string[], flags: PairFlags) => {
      const { runPair } = await import('./run-pair.ts')
      finish(await runPair(words, flags, output))
    })
}
