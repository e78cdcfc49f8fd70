/** `pinhole agent`: makes an lnd reachable that has no litd, until a signal ends it. */
import path from 'node:path'

import type { Command } from 'commander'

import { type Agent, DEFAULT_MAILBOX, startAgent } from '../agent.ts'
import { createLogger } from '../logger.ts'
import { basedirOf, command, type CommandContext, type CommonOptions } from './command.ts'
import type { ExitCode } from './exit.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import { endOnSignal, endOnUncaught } from './signals.ts'

interface AgentFlags extends CommonOptions {
  readonly lnd: string
  readonly tls: string
  readonly macaroon: string
  readonly mailbox?: string
  readonly insecureTls?: boolean
  readonly new?: boolean
}

const PAIRING_FILE = 'agent.json'

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
    .action(async (flags: AgentFlags) => finish(await runAgent(flags, output)))
}

async function runAgent(flags: AgentFlags, output: Output): Promise<ExitCode> {
  const { lnd, tls, macaroon, mailbox, insecureTls, json = false } = flags
  const terminal = output.stderr.isTTY === true && !json
  const log = createLogger({ debuglevel: 'info', pretty: terminal }, output.stderr)
  endOnUncaught(log)
  const stop = new AbortController()
  // A signal ends an agent that still waits for its relay too.
  let agent: Agent | undefined
  const close = async () => {
    stop.abort()
    await agent?.close()
  }
  const ended = endOnSignal({ close }, 'agent', log)
  try {
    agent = await startAgent({
      lnd,
      tls,
      macaroon,
      mailbox,
      insecureTls,
      file: path.join(basedirOf(flags), PAIRING_FILE),
      anew: flags.new,
      log: log.child({ part: 'LNC' }),
      signal: stop.signal,
    })
  } catch (reason) {
    if (stop.signal.aborted) return ended
    throw reason
  }
  show(agent, output, json)
  return ended
}

function show({ phrase, mailbox }: Agent, output: Output, json: boolean): void {
  if (wantsJson(output, json)) {
    return writeResult(output, { phrase, mailbox, paired: phrase === undefined }, json)
  }
  const paired = 'This node is paired already; its client can connect. --new makes a new phrase.\n'
  output.stdout.write(phrase === undefined ? paired : `\n  ${phrase}\n\n`)
  if (phrase !== undefined) {
    output.stderr.write(`Pair with these words through ${mailbox}. They work once.\n`)
  }
}
