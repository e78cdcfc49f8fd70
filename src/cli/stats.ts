/** `pinhole stats`: what was earned. */
import { MSAT_PER_SAT } from '../base/amount.ts'
import type { Command } from 'commander'
import type { ResponseOf } from '../admin/contract.ts'
import { systemClock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { type Output, type Row, wantsJson, writeAnswer, writeRows } from './output.ts'
import { readSpan, spanMs, type SpanOptions, TIME_WORDS } from './times.ts'

interface StatsOptions extends ReachOptions, SpanOptions {
  readonly series?: boolean
  readonly step: string
  readonly excludeTest?: boolean
}

const MS_PER_SECOND = 1_000

const HELP = `
Examples:
  pinhole stats
  pinhole stats --from 30d
  pinhole stats --from 2026-01-01 --to 2026-01-31 --exclude-test
  pinhole stats --series --step 1d --from 4w
`

/** The command. */
export function statsCommand({ output }: CommandContext): Command {
  return hubCommand('stats', 'income in all, by service and over time')
    .option('--from <time>', `from when on: ${TIME_WORDS}`)
    .option('--to <time>', 'until when (now)')
    .option('--exclude-test', 'leave out what was marked as a test')
    .option('--series', 'step by step, and how many offers were paid and used')
    .option('--step <duration>', 'length of a step of --series', '1d')
    .addHelpText('after', HELP)
    .action((options: StatsOptions) =>
      options.series === true ? showSeries(options, output) : showStats(options, output),
    )
}

const requestOf = (options: StatsOptions) => ({
  ...readSpan(options, systemClock.wall()),
  ...(options.excludeTest === true ? { exclude_test: true } : {}),
})

async function showStats(options: StatsOptions, output: Output): Promise<void> {
  const request = requestOf(options)
  const stats = await askHub(options, output, (client) => client.getStats(request))
  const { total_revenue_sats, transaction_count, service_breakdown } = stats
  writeAnswer(output, options.json ?? false, stats, () => ({
    rows: service_breakdown.map((one) => ({
      service: one.service_name,
      sats: one.total_revenue_sats,
    })),
    none: 'Nothing was paid.',
    remark: `${total_revenue_sats} sat from ${transaction_count} payments`,
  }))
}

async function showSeries(options: StatsOptions, output: Output): Promise<void> {
  const stepMs = spanMs(options.step)
  if (stepMs === undefined) {
    throw new PinholeError('ERR_CLI_USAGE', `--step must be like 1h or 1d, not ${options.step}`)
  }
  const request = { ...requestOf(options), step_seconds: Math.round(stepMs / MS_PER_SECOND) }
  const series = await askHub(options, output, (client) => client.getSeries(request))
  if (wantsJson(output, options.json ?? false)) {
    return void output.stdout.write(`${JSON.stringify(series)}\n`)
  }
  const { offered, settled, used } = series.funnel
  if (series.points.length > 0) writeRows(output, series.points.map(pointRow), false)
  output.stderr.write(`${offered} offered, ${settled} paid, ${used} used\n`)
}

const pointRow = (point: ResponseOf<'getSeries'>['points'][number]): Row => ({
  at: point.at,
  service: point.service_name,
  offered: point.offered,
  paid: point.settled,
  sats: String(BigInt(point.revenue_msat) / MSAT_PER_SAT),
  served: point.served_paid,
})
