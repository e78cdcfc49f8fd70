/** `pinhole logs`: the newest lines of a running hub's log, and those that come. */
import { type Command, Option } from 'commander'
import type { LogLine } from '../admin/contract.ts'
import type { CommandContext } from './command.ts'
import { followLogs } from './follow-logs.ts'
import { askHub, hubCommand, reachHub, type ReachOptions } from './hub-client.ts'
import { wholeNumber } from './numbers.ts'
import { type Output, plain, type Row, wantsJson, writeAnswer } from './output.ts'
import { untilInterrupted } from './until-interrupted.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const MAX_LINES = 1_000
/** Widths of columns whose lines come one by one. */
const LEVEL_CHARS = 5
const PART_CHARS = 11

interface LogsOptions extends ReachOptions {
  readonly level?: (typeof LEVELS)[number]
  readonly limit?: number
  readonly follow?: boolean
}

const HELP = `
With --follow lines come oldest first, one JSON object for each where stdout is no terminal. A hub that ends is waited
for, and its lines go on when it is there again. Ctrl-C ends it.
`

/** The command. */
export function logsCommand({ output }: CommandContext): Command {
  return hubCommand('logs', 'the newest lines of the log of a running hub')
    .addOption(new Option('--level <level>', 'this level and worse (info)').choices(LEVELS))
    .option(
      '--limit <n>',
      'how many (200); with --follow of those before (10)',
      wholeNumber(1, MAX_LINES),
    )
    .option('-f, --follow', 'go on with the lines that come')
    .addHelpText('after', HELP)
    .action((options: LogsOptions) =>
      options.follow === true ? follow(options, output) : list(options, output),
    )
}

const requestOf = ({ level, limit }: LogsOptions, standardLimit?: number) => ({
  ...(level ? { level } : {}),
  ...((limit ?? standardLimit) === undefined ? {} : { limit: limit ?? standardLimit }),
})

async function list(options: LogsOptions, output: Output): Promise<void> {
  const answer = await askHub(options, output, (client) => client.listLogs(requestOf(options)))
  writeAnswer(output, options.json ?? false, answer, () => ({
    rows: answer.lines.map(rowOf),
    none: 'No lines.',
  }))
}

/** Lines before those that come. */
const LINES_BEFORE = 10

async function follow(options: LogsOptions, output: Output): Promise<void> {
  const { client } = await reachHub(options, output)
  const json = wantsJson(output, options.json ?? false)
  await untilInterrupted(output, (signal) =>
    followLogs({
      client,
      request: requestOf(options, LINES_BEFORE),
      signal,
      onLine: (line) => output.stdout.write(`${json ? JSON.stringify(line) : lineOf(line)}\n`),
      onRemark: (text) => output.stderr.write(`${text}\n`),
    }),
  )
}

const lineOf = (line: LogLine): string => {
  const { at, level, part, text } = rowOf(line)
  return plain(`${at} ${level.padEnd(LEVEL_CHARS)} ${part.padEnd(PART_CHARS)} ${text}`)
}

const rowOf = ({ at, level, part, text, fields }: LogLine) =>
  ({
    at,
    level,
    part,
    text: [text, ...Object.entries(fields).map(fieldText)].join(' '),
  }) satisfies Row

const fieldText = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`
