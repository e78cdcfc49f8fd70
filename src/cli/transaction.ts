/** `pinhole transaction`: what was offered and paid. */
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import type { RequestOf, Transaction } from '../admin/contract.ts'
import { systemClock } from '../base/clock.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { writeParts } from './new-file.ts'
import { wholeNumber } from './numbers.ts'
import { type Output, type Row, writeAnswer, writeResult } from './output.ts'
import { readSpan, type SpanOptions, TIME_WORDS } from './times.ts'

interface FilterOptions extends ReachOptions, SpanOptions {
  readonly service?: string
  readonly state?: string
  readonly search?: string
  readonly excludeTest?: boolean
  readonly limit?: number
  readonly offset?: number
}

const MAX_LIMIT = 1_000
/** What is shown of an id; the JSON has all of it. */
const SHORT_ID_CHARS = 16

const HELP = `
Examples:
  pinhole transaction list --state settled --from 7d
  pinhole transaction list --search 3fa8 --json
  pinhole transaction export --service weather --out weather.csv
  pinhole transaction mark 12              leaves it out where --exclude-test is given
  pinhole transaction mark 12 --no-test
`

/** The command and those below it. */
export function transactionCommand({ output }: CommandContext): Command {
  const parent = new Command('transaction')
    .description('what was offered and paid')
    .addHelpText('after', HELP)
  parent.addCommand(
    filtered('list', 'newest first')
      .option('--limit <n>', 'how many (50)', wholeNumber(1, MAX_LIMIT))
      .option('--offset <n>', 'how many to pass over', wholeNumber())
      .action((options: FilterOptions) => list(options, output)),
  )
  parent.addCommand(
    filtered('export', 'as CSV, without a limit')
      .option('--out <file>', 'write it there in place of stdout; never over a file')
      .action((options: ExportOptions) => exportCsv(options, output)),
  )
  parent.addCommand(
    hubCommand('mark', "mark a payment as a test of one's own")
      .argument('<id>', 'its number, as list shows it', wholeNumber(1))
      .option('--no-test', 'take the mark away')
      .action((id: number, options: MarkOptions) => mark(id, options, output)),
  )
  return parent
}

const filtered = (name: string, summary: string): Command =>
  hubCommand(name, summary)
    .option('--service <name>', 'of this service')
    .addOption(new Option('--state <state>', 'pending or settled').choices(['pending', 'settled']))
    .option('--from <time>', `paid from when on: ${TIME_WORDS}`)
    .option('--to <time>', 'paid until when (now)')
    .option('--search <hex>', 'beginning of a token id or payment hash')
    .option('--exclude-test', 'leave out what was marked as a test')

function filterOf(options: FilterOptions): RequestOf<'listTransactions'> {
  const { service, state, search, excludeTest, limit, offset } = options
  const { from, to } = readSpan(options, systemClock.wall())
  return {
    service,
    state,
    start_date: from,
    end_date: to,
    search,
    ...(excludeTest === true ? { exclude_test: true } : {}),
    limit,
    offset,
  }
}

async function list(options: FilterOptions, output: Output): Promise<void> {
  const request = filterOf(options)
  const answer = await askHub(options, output, (client) => client.listTransactions(request))
  writeAnswer(output, options.json ?? false, answer, () => ({
    rows: answer.transactions.map(rowOf),
    none: 'No transactions.',
    remark: `${answer.transactions.length} of ${answer.total_count}`,
  }))
}

const rowOf = (one: Transaction): Row => ({
  id: one.id,
  created: one.created_at,
  service: one.service_name,
  sats: one.price_sats,
  state: one.state,
  settled: one.settled_at,
  token: one.token_id.slice(0, SHORT_ID_CHARS),
  note: [one.valid ? '' : 'revoked', one.test ? 'test' : '', one.imported ? 'imported' : '']
    .filter((word) => word !== '')
    .join(' '),
})

interface ExportOptions extends FilterOptions {
  readonly out?: string
}

async function exportCsv(options: ExportOptions, output: Output): Promise<void> {
  const request = filterOf(options)
  const { out: file } = options
  const bytes = await askHub(options, output, async (client) => {
    const csv = client.exportTransactions(request)
    if (file !== undefined) return writeParts(file, csv)
    const { stdout } = output
    if (stdout instanceof Writable) await pipeline(csv, stdout, { end: false })
    else for await (const part of csv) stdout.write(part)
    return 0
  })
  if (file !== undefined) writeResult(output, { file, bytes }, options.json ?? false)
}

interface MarkOptions extends ReachOptions {
  readonly test: boolean
}

async function mark(id: number, options: MarkOptions, output: Output): Promise<void> {
  const { test } = options
  const marked = await askHub(options, output, (client) => client.markTransaction({ id, test }))
  writeAnswer(output, options.json ?? false, marked, () => ({ rows: [rowOf(marked)], none: '' }))
}
