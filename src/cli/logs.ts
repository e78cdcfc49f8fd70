/** `pinhole logs`: the newest lines of a running hub's log. */
import { type Command, Option } from 'commander'
import type { LogLine } from '../admin/contract.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { wholeNumber } from './numbers.ts'
import { type Row, writeAnswer } from './output.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
const MAX_LINES = 1_000

interface LogsOptions extends ReachOptions {
  readonly level?: (typeof LEVELS)[number]
  readonly limit?: number
}

/** The command. */
export function logsCommand({ output }: CommandContext): Command {
  return hubCommand('logs', 'the newest lines of the log of a running hub')
    .addOption(new Option('--level <level>', 'this level and worse (info)').choices(LEVELS))
    .option('--limit <n>', 'how many (200)', wholeNumber(1, MAX_LINES))
    .action(async (options: LogsOptions) => {
      const { level, limit } = options
      const request = { ...(level ? { level } : {}), ...(limit ? { limit } : {}) }
      const answer = await askHub(options, output, (client) => client.listLogs(request))
      writeAnswer(output, options.json ?? false, answer, () => ({
        rows: answer.lines.map(rowOf),
        none: 'No lines.',
      }))
    })
}

const rowOf = ({ at, level, part, text, fields }: LogLine): Row => ({
  at,
  level,
  part,
  text: [text, ...Object.entries(fields).map(fieldText)].join(' '),
})

const fieldText = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`
