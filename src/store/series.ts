/** Sales over time, summed in parts: whoever asks can let others go first after each. */
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

/** What happened in one step, or a part of it. */
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

/** What a service has earned, or a part of it. */
export interface Revenue {
  readonly service: string
  /** Settled transactions. */
  readonly count: number
  readonly msat: bigint
}

/** The questions. Each turn of an answer looks at `ROWS_AT_ONCE` rows at most, and all turns together are the answer. */
export interface SalesOverTime {
  series(span: SeriesSpan): Iterable<readonly SeriesStep[]>
  funnel(span: Omit<SeriesSpan, 'stepMs'>): Iterable<Funnel>
  /** Of what was paid within the span; without one of all, also of what an Aperture kept no time of. */
  revenue(span: RevenueSpan): Iterable<readonly Revenue[]>
}

/** A stretch of time, or all time. */
export type RevenueSpan = { readonly real: boolean } & (
  | { readonly fromMs: number; readonly toMs: number }
  | { readonly fromMs?: undefined; readonly toMs?: undefined }
)

/** A few milliseconds' worth. */
export const ROWS_AT_ONCE = 4_000

interface StepRow {
  readonly at_ms: bigint
  readonly service: string
  readonly count: bigint
  readonly msat: bigint
}

interface EarnedRow {
  readonly service: string
  readonly count: bigint
  readonly msat: bigint
}

type FunnelRow = Readonly<Record<'offered' | 'settled' | 'used', bigint>>

/** A row by the order of an index. */
interface Place {
  readonly ms: bigint
  readonly id: bigint
}

/** Which times of transactions are gone through, each with the index that has them in order. */
const CREATED = { column: 'created_ms', which: 'true' } as const
const SETTLED = { column: 'settled_ms', which: "state = 'settled'" } as const
type Order = typeof CREATED | typeof SETTLED

/** The rows after one place, up to another or to the end of the span. */
const within = ({ column, which }: Order): string =>
  `${which} and (${column}, id) > (:ms, :id) and (${column}, id) <= (:lastMs, :lastId)`

/** The last row of the next part: the index has all that it asks for. */
const lastOf = ({ column, which }: Order): string => `
select ${column} as ms, id from transactions
where ${which} and (${column}, id) > (:ms, :id) and ${column} <= :to
order by ${column}, id limit 1 offset ${ROWS_AT_ONCE - 1}`

const stepsOf = (order: Order): string => `
select ${order.column} / :step * :step as at_ms, service, count(*) as count, sum(price_msat) as msat
from transactions where ${within(order)} and test <= :test group by 1, 2`

const EARNED = 'select service, count(*) as count, sum(price_msat) as msat from transactions'
const EARNED_WITHIN = `${EARNED} where ${within(SETTLED)} and test <= :test group by service`

// By number alone: an index would bring rows of all numbers.
const EARNED_AT_ALL = `
${EARNED} not indexed where id > :id and id <= :lastId and state = 'settled' and test <= :test group by service`

const LAST_NUMBER = `
select id from transactions where id > :id order by id limit 1 offset ${ROWS_AT_ONCE - 1}`

const FORGOTTEN_STEPS = `
select hour_ms / :step * :step as at_ms, service, sum(count) as count, 0 as msat
from forgotten_offers where hour_ms between :from and :to group by 1, 2`

const FUNNEL = `
select count(*) as offered, count(*) filter (where state = 'settled') as settled, count(used_ms) as used
from transactions where ${within(CREATED)} and test <= :test`

const FORGOTTEN =
  'select coalesce(sum(count), 0) as count from forgotten_offers where hour_ms between :from and :to'

/** What `explain query plan` can be asked about: every question to the transactions. */
export const SALES_QUERIES = [
  lastOf(CREATED),
  lastOf(SETTLED),
  stepsOf(CREATED),
  stepsOf(SETTLED),
  FUNNEL,
  EARNED_WITHIN,
  EARNED_AT_ALL,
  LAST_NUMBER,
]

type Bound = Readonly<Record<string, bigint>>

// Integers as SQLite has them: a number would be divided with a fraction.
const query = <Row>(database: Database, text: string) =>
  database.prepare<[Bound], Row>(text).safeIntegers()

const spanOf = ({ fromMs, toMs, real }: Omit<SeriesSpan, 'stepMs'>) => {
  return { from: BigInt(fromMs), to: BigInt(toMs), test: real ? 0n : 1n }
}

/** The span in parts, as what the queries are to be bound by. */
function* parts(database: Database, order: Order, { from, to }: { from: bigint; to: bigint }) {
  const last = query<Place>(database, lastOf(order))
  // No row has an id below 1.
  let after: Place = { ms: from, id: 0n }
  for (;;) {
    const next = last.get({ ...after, to })
    const { ms: lastMs, id: lastId } = next ?? { ms: to, id: LAST_ID }
    yield { ...after, lastMs, lastId }
    if (!next) return
    after = next
  }
}

/** All rows in parts, by their numbers. */
function* numbers(database: Database) {
  const last = query<{ id: bigint }>(database, LAST_NUMBER)
  for (let id = 0n; ;) {
    const next = last.get({ id })
    yield { id, lastId: next?.id ?? LAST_ID }
    if (!next) return
    id = next.id
  }
}

/** The sales of an open database. */
export function salesOverTime(database: Database): SalesOverTime {
  return {
    *revenue({ fromMs, toMs, real }) {
      if (fromMs === undefined) {
        const test = real ? 0n : 1n
        const earned = query<EarnedRow>(database, EARNED_AT_ALL)
        for (const part of numbers(database)) yield earned.all({ ...part, test }).map(revenue)
        return
      }
      const { from, to, test } = spanOf({ fromMs, toMs, real })
      const earned = query<EarnedRow>(database, EARNED_WITHIN)
      for (const part of parts(database, SETTLED, { from, to })) {
        yield earned.all({ ...part, test }).map(revenue)
      }
    },
    *series(span) {
      const { from, to, test } = spanOf(span)
      const step = BigInt(span.stepMs)
      for (const [order, shown] of [
        [CREATED, offeredStep],
        [SETTLED, settledStep],
      ] as const) {
        const steps = query<StepRow>(database, stepsOf(order))
        for (const part of parts(database, order, { from, to })) {
          yield steps.all({ ...part, step, test }).map(shown)
        }
      }
      yield query<StepRow>(database, FORGOTTEN_STEPS).all({ step, from, to }).map(offeredStep)
    },
    *funnel(span) {
      const { from, to, test } = spanOf(span)
      const sums = query<FunnelRow>(database, FUNNEL)
      for (const part of parts(database, CREATED, { from, to })) {
        const { offered = 0n, settled = 0n, used = 0n } = sums.get({ ...part, test }) ?? {}
        yield { offered: Number(offered), settled: Number(settled), used: Number(used) }
      }
      const { count = 0n } = query<{ count: bigint }>(database, FORGOTTEN).get({ from, to }) ?? {}
      yield { offered: Number(count), settled: 0, used: 0 }
    },
  }
}

/** SQLite's largest. */
const LAST_ID = 2n ** 63n - 1n

const revenue = ({ service, count, msat }: EarnedRow): Revenue => ({
  service,
  count: Number(count),
  msat,
})

const offeredStep = (row: StepRow): SeriesStep => ({
  atMs: Number(row.at_ms),
  service: row.service,
  offered: Number(row.count),
  settled: 0,
  revenueMsat: 0n,
})

const settledStep = (row: StepRow): SeriesStep => ({
  ...offeredStep(row),
  offered: 0,
  settled: Number(row.count),
  revenueMsat: row.msat,
})
