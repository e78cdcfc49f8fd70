/** Sales over time. */
import type { Database } from 'better-sqlite3'

/** A stretch of time, in milliseconds since 1970, both ends in it. */
export interface SeriesSpan {
  readonly fromMs: number
  readonly toMs: number
  /** Steps begin at multiples of it. */
  readonly stepMs: number
  /** Leaves out what is marked as a test. */
  readonly real: boolean
}

/** What happened in one step. */
export interface SeriesStep {
  /** Its beginning. */
  readonly atMs: number
  readonly service: string
  readonly offered: number
  readonly settled: number
  readonly revenueMsat: bigint
}

/** What became of offers. */
export interface Funnel {
  readonly offered: number
  readonly settled: number
  /** Those whose token was shown. */
  readonly used: number
}

/** The two questions. */
export interface SalesOverTime {
  series(span: SeriesSpan): readonly SeriesStep[]
  funnel(span: Omit<SeriesSpan, 'stepMs'>): Funnel
}

interface StepRow {
  readonly at_ms: bigint
  readonly service: string
  readonly offered: bigint
  readonly settled: bigint
  readonly msat: bigint
}

type FunnelRow = Readonly<Record<'offered' | 'settled' | 'used' | 'forgotten', bigint>>

const SERIES = `
select at_ms, service, sum(offered) as offered, sum(settled) as settled, sum(msat) as msat from (
  select created_ms / :step * :step as at_ms, service, count(*) as offered, 0 as settled, 0 as msat
  from transactions where created_ms between :from and :to and test <= :test group by 1, 2
  union all
  select settled_ms / :step * :step, service, 0, count(*), sum(price_msat)
  from transactions
  where state = 'settled' and settled_ms between :from and :to and test <= :test group by 1, 2
  union all
  select hour_ms / :step * :step, service, sum(count), 0, 0
  from forgotten_offers where hour_ms between :from and :to group by 1, 2
) group by at_ms, service order by at_ms, service`

const FUNNEL = `
select count(*) as offered, count(*) filter (where state = 'settled') as settled, count(used_ms) as used,
  (select coalesce(sum(count), 0) from forgotten_offers where hour_ms between :from and :to)
    as forgotten
from transactions where created_ms between :from and :to and test <= :test`

/** The sales of an open database. */
export function salesOverTime(database: Database): SalesOverTime {
  // Integers as SQLite has them: a number would be divided with a fraction.
  const bound = ({ fromMs, toMs, real }: Omit<SeriesSpan, 'stepMs'>) => {
    return { from: BigInt(fromMs), to: BigInt(toMs), test: real ? 0n : 1n }
  }
  return {
    series: (span) =>
      database
        .prepare<[Record<string, bigint>], StepRow>(SERIES)
        .safeIntegers()
        .all({ ...bound(span), step: BigInt(span.stepMs) })
        .map((row) => ({
          atMs: Number(row.at_ms),
          service: row.service,
          offered: Number(row.offered),
          settled: Number(row.settled),
          revenueMsat: row.msat,
        })),
    funnel(span) {
      const row = database
        .prepare<[Record<string, bigint>], FunnelRow>(FUNNEL)
        .safeIntegers()
        .get(bound(span))
      const { offered = 0n, settled = 0n, used = 0n, forgotten = 0n } = row ?? {}
      return {
        offered: Number(offered + forgotten),
        settled: Number(settled),
        used: Number(used),
      }
    },
  }
}
