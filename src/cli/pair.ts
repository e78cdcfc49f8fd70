/** `pinhole pair`: pairs a node by the ten words that it showed, and keeps it for the hub. */
import type { Command } from 'commander'
import { DEFAULT_MAILBOX } from '../agent.ts'
import { systemClock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import { CONFIGURED_NODE } from '../nodes/names.ts'
import { pairNode, type PairResult } from '../nodes/pair.ts'
import { suffices } from '../nodes/permissions.ts'
import { command, type CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { type HubOptions, type StoredNodes, withStoredNodes } from './open-rows.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import { permissionAdvice, permissionText } from './permission-lines.ts'
import { type Progress, showProgress } from './progress.ts'
import { readPhrase } from './read-phrase.ts'

interface PairFlags extends HubOptions {
  readonly mailbox?: string
  readonly name?: string
  readonly insecureTls?: boolean
}

const HELP = `
The words work once. What they are exchanged for is stored encrypted, under node.key in the base folder or
under the environment's PINHOLE_SECRET. Given as arguments they stay in the shell's history: leave them out
to be asked, or send them on stdin. A hub that runs takes the node in at SIGHUP or when it is restarted.

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
  return command('pair', 'pair a node by its phrase')
    .argument('[words...]', 'the ten words; asked for when left out')
    .option('--mailbox <host:port>', `mailbox relay of the node (${DEFAULT_MAILBOX})`)
    .option('--name <name>', 'what to call the node (its alias)')
    .option('--insecure-tls', 'accept any certificate of the relay')
    .option('--configfile <file>', 'configuration of the hub')
    .addHelpText('after', HELP)
    .action(async (words: string[], flags: PairFlags) => {
      finish(await runPair(words, flags, output))
    })
}

async function runPair(
  words: readonly string[],
  flags: PairFlags,
  output: Output,
): Promise<ExitCode> {
  const { json = false } = flags
  const phrase = await readPhrase(words, process.stdin)
  const stop = new AbortController()
  const abort = () => stop.abort(new PinholeError('ERR_SESSION_CLOSED', 'the pairing was given up'))
  process.once('SIGINT', abort).once('SIGTERM', abort)
  try {
    const result = await withStoredNodes(flags, async (nodes) => {
      const progress = showProgress('Connecting to the node', output, json)
      try {
        return await pair(nodes, phrase, flags, { progress, signal: stop.signal })
      } finally {
        progress.end()
      }
    })
    return show(result, output, json)
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort)
  }
}

interface Waiting {
  readonly progress: Progress
  readonly signal: AbortSignal
}

function pair(
  { config, rows, secret }: StoredNodes,
  phrase: string,
  { mailbox, name, insecureTls = false }: PairFlags,
  { progress, signal }: Waiting,
): Promise<PairResult> {
  // The hub pairs that one by itself.
  const { passphrase } = config.authenticator
  const reserved = (other: string) => other === CONFIGURED_NODE && passphrase !== ''
  return pairNode({
    rows,
    secret,
    phrase,
    mailbox: { given: mailbox, otherwise: DEFAULT_MAILBOX },
    name,
    reserved,
    insecureTls,
    signal,
    onState: (state) =>
      'reason' in state && state.reason && progress.obstacle(state.reason.message),
    clock: systemClock,
  })
}

function show(result: PairResult, output: Output, json: boolean): ExitCode {
  const { name, identity, mailbox, insecureTls, expiresAt, permissions } = result
  const { alias, pubkey, network } = identity ?? {}
  const expires = expiresAt?.toISOString()
  const row = { name, alias, pubkey, network, mailbox, expires }
  const advice = permissionAdvice(permissions, { mailbox, insecureTls })
  if (wantsJson(output, json)) {
    const text = JSON.stringify({ ...row, permissions, ...(advice === '' ? {} : { advice }) })
    output.stdout.write(`${text}\n`)
  } else {
    const sell = permissionText(permissions, 'sell')
    const pay = permissionText(permissions, 'pay')
    writeResult(output, { ...row, sell, pay }, json)
    output.stderr.write(advice)
  }
  const useful = suffices(permissions, 'sell') || suffices(permissions, 'pay')
  return useful ? Exit.ok : Exit.auth
}
