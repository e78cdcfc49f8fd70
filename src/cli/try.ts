/** `pinhole try`: asks a service of a running hub as a client would, and pays if told to. */
import type { Command } from 'commander'
import type { ResponseOf } from '../admin/contract.ts'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { wholeNumber } from './numbers.ts'
import { type Output, wantsJson, writeResult } from './output.ts'

interface TryOptions extends ReachOptions {
  readonly path?: string
  readonly method?: string
  readonly maxSats?: number
  readonly node?: string
  readonly dryRun?: boolean
}

type Tried = ResponseOf<'tryService'>

/** A payment takes as long as its route, in milliseconds. */
const TIMEOUT_MS = 180_000
const PAYMENT_REQUIRED = 402
const FIRST_FAILURE = 400

const HELP = `
Without --max-sats the 402 is shown, or the answer of what is free. With it a node of the hub pays, routing included;
the payment is marked as a test. A hub cannot pay itself from its only node: lnd refuses that, the sandbox does not.

Examples:
  pinhole try weather --path /weather/berlin
  pinhole try weather --path /weather/berlin --max-sats 20 --dry-run
  pinhole try weather --path /weather/berlin --max-sats 20 --node savings

Ends with 1 when the service answers with another failure than the 402 that was to be shown.
`

/** The command. */
export function tryCommand({ output, finish }: CommandContext): Command {
  return hubCommand('try', 'ask a service as a client would: its 402, or the paid answer')
    .argument('<service>')
    .option('--path <path>', 'what to ask for (/)')
    .option('--method <method>', 'how (GET)')
    .option('--max-sats <n>', 'pay up to so many satoshis, and show the paid answer', wholeNumber())
    .option('--node <name>', "node that pays (the hub's first)")
    .option('--dry-run', 'only say whether it would be paid; ends with 10')
    .addHelpText('after', HELP)
    .action(async (name: string, options: TryOptions) => finish(await tryIt(name, options, output)))
}

async function tryIt(name: string, options: TryOptions, output: Output): Promise<ExitCode> {
  const { path, method, maxSats, node, dryRun = false, json = false } = options
  const pays = maxSats !== undefined && !dryRun
  const request = { name, path, method, node, ...(pays ? { max_sats: maxSats } : {}) }
  const tried = await askHub(options, output, (client) =>
    client.tryService(request, { timeoutMs: TIMEOUT_MS }),
  )
  if (dryRun) return wouldPay(tried, maxSats, output, json)
  show(tried, output, json)
  const isOffer = tried.status === PAYMENT_REQUIRED && !tried.paid && !pays
  return tried.status < FIRST_FAILURE || isOffer ? Exit.ok : Exit.general
}

/** What a payment would be. @throws ERR_PAYMENT_LIMIT */
function wouldPay(
  { status, price_sats: price, invoice }: Tried,
  maxSats = 0,
  output: Output,
  json: boolean,
): ExitCode {
  if (BigInt(price) > BigInt(maxSats)) {
    const text = `the service asks for ${price} sat and the limit is ${maxSats} sat`
    throw new PinholeError('ERR_PAYMENT_LIMIT', text)
  }
  writeResult(output, { status, would_pay_sats: price, invoice }, json)
  return Exit.dryRun
}

function show(tried: Tried, output: Output, json: boolean): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(tried)}\n`)
  const { status, price_sats: price, invoice, paid, headers, body } = tried
  const offer = invoice === '' ? {} : { price_sats: price, invoice, paid }
  writeResult(output, { status, ...offer, type: headers['content-type'] }, false)
  if (body === '' || (status === PAYMENT_REQUIRED && !paid)) return
  // A terminal would act upon some of it.
  output.stdout.write(`\n${body.replace(/[^\P{Cc}\n\t]+/gu, ' ').trimEnd()}\n`)
}
