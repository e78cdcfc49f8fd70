/** `pinhole agent`: makes an lnd reachable that has no litd, until a signal ends it. */
import type { Command } from 'commander'
import { DEFAULT_MAILBOX } from '../default-mailbox.ts'
import { command, type CommandContext, type CommonOptions } from './command.ts'

/** The flags. */
export interface AgentFlags extends CommonOptions {
  readonly lnd: string
  readonly tls: string
  readonly macaroon: string
  readonly mailbox?: string
  readonly insecureTls?: boolean
  readonly new?: boolean
}

const HELP = `
The client that pairs gets just this macaroon: bake one that allows no more than it needs, e.g.
  lncli bakemacaroon --save_to shop.macaroon invoices:read invoices:write info:read

The phrase works once. The pairing is kept in agent.json in the base folder, so that the agent can be
restarted; --new forgets it and makes a new phrase.

Examples:
  pinhole agent --lnd localhost:10009 --tls ~/.lnd/tls.cert --macaroon shop.macaroon \\
    --mailbox mailbox.example.com:443
`

/** The command. */
export function agentCommand({ output, finish }: CommandContext): Command {
  return command('agent', 'make an lnd reachable that has no litd')
    .requiredOption('--lnd <host:port>', "lnd's gRPC port")
    .requiredOption('--tls <file>', "lnd's certificate (tls.cert)")
    .requiredOption('--macaroon <file>', 'macaroon that the client gets')
    .option('--mailbox <host:port>', `mailbox relay to dial (${DEFAULT_MAILBOX})`)
    .option('--insecure-tls', 'accept any certificate of the relay')
    .option('--new', 'forget the pairing and make a new phrase')
    .addHelpText('after', HELP)
    .action(async (flags: AgentFlags) => {
      const { runAgent } = await import('./run-agent.ts')
      finish(await runAgent(flags, output))
    })
}
