/** What came in, from the first answer to the paid one, and what happens now. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { HubEvent, ResponseOf } from '../../../src/admin/contract.ts'
import { useEvent, useFeed } from '../events.ts'
import { shownClock, shownCount, shownMsats, shownSats } from '../format.ts'
import { useLoad } from '../load.ts'
import { Chart } from '../parts/chart.tsx'
import { Choice, Switch } from '../parts/field.tsx'
import { State, Trouble } from '../parts/notice.tsx'
import { Table } from '../parts/table.tsx'
import { hashOf } from '../route.ts'
import { linesOf, type Span as TimeSpan, totalsOf } from '../series.ts'

const HOUR_S = 3_600
/** How long a time is looked at, and in what steps. */
const SPANS = {
  day: ['last 24 hours', 24 * HOUR_S, HOUR_S],
  week: ['last 7 days', 7 * 24 * HOUR_S, 6 * HOUR_S],
  month: ['last 30 days', 30 * 24 * HOUR_S, 24 * HOUR_S],
  year: ['last 365 days', 365 * 24 * HOUR_S, 7 * 24 * HOUR_S],
} as const
type Span = keyof typeof SPANS
const isSpan = (text: string): text is Span => Object.hasOwn(SPANS, text)
/** Sums are read again at most so often, however much happens. */
const REST_MS = 1_000
const EVERY_MS = 30_000

export function Overview() {
  const [span, setSpan] = useState<Span>('day')
  const [own, setOwn] = useState(false)
  const turn = useTurn()
  const { step, within } = useMemo(() => {
    const [, seconds, step] = SPANS[span]
    const nowMs = Date.now()
    const from = new Date(nowMs - seconds * 1_000).toISOString()
    const to = new Date(nowMs).toISOString()
    return { step, within: { from, to, exclude_test: !own } }
  }, [span, own, turn])
  const stats = useLoad('getStats', within)
  const series = useLoad('getSeries', { ...within, step_seconds: step })
  return (
    <>
      <Welcome />
      <div class="row">
        <Choice
          label="Time"
          value={span}
          options={Object.entries(SPANS).map(([key, [text]]) => [key, text] as const)}
          onInput={(next) => isSpan(next) && setSpan(next)}
        />
        <Switch label="Also tests of one's own" checked={own} onInput={setOwn} />
      </div>
      <Trouble error={stats.error} />
      <Trouble error={series.error} />
      {stats.value && series.value && (
        <>
          <Figures stats={stats.value} funnel={series.value.funnel} />
          <div class="halves">
            <Funnel funnel={series.value.funnel} />
            <Income stats={stats.value} />
          </div>
        </>
      )}
      {series.value && <Charts series={series.value} span={{ ...within, stepSeconds: step }} />}
      <Happening />
    </>
  )
}

/** Rises when something was offered, paid or used, and now and then. */
function useTurn(): number {
  const [turn, setTurn] = useState(0)
  const [stirred, setStirred] = useState(0)
  useEvent(({ type }) => {
    if (type === 'offered' || type === 'settled' || type === 'used') setStirred((last) => last + 1)
  })
  useEffect(() => {
    const timer = setTimeout(() => setTurn((last) => last + 1), stirred > 0 ? REST_MS : EVERY_MS)
    return () => clearTimeout(timer)
    // A timer that runs is not put off by what happens meanwhile.
  }, [turn, stirred > 0])
  useEffect(() => setStirred(0), [turn])
  return turn
}

function Welcome() {
  const nodes = useLoad('listNodes', {})
  const services = useLoad('listServices', {})
  const empty = nodes.value?.nodes.length === 0 || services.value?.services.length === 0
  if (!empty) return null
  return (
    <p class="notice">
      Nothing can be sold yet. <a href={hashOf('set-up')}>Set the hub up in three steps.</a>
    </p>
  )
}

type Stats = ResponseOf<'getStats'>
type Funnel = ResponseOf<'getSeries'>['funnel']

function Figures({ stats, funnel }: { readonly stats: Stats; readonly funnel: Funnel }) {
  const figures = [
    [shownSats(stats.total_revenue_sats), 'income'],
    [shownCount(stats.transaction_count), 'payments'],
    [shownCount(funnel.offered), 'offers (402)'],
    [funnel.offered > 0 ? percent(funnel.settled, funnel.offered) : '–', 'of the offers paid'],
  ] as const
  return (
    <ul class="figures">
      {figures.map(([figure, name]) => (
        <li key={name}>
          <strong>{figure}</strong>
          <span>{name}</span>
        </li>
      ))}
    </ul>
  )
}

function Income({ stats }: { readonly stats: Stats }) {
  return (
    <section class="card" aria-label="Income">
      <h2>Income by service</h2>
      <Table
        label="Income by service"
        head={['Service', 'Income']}
        empty="Nothing was paid in this time."
        rows={stats.service_breakdown.map(({ service_name: name, total_revenue_sats: sats }) => ({
          key: name,
          cells: [<a href={hashOf('service', name)}>{name}</a>, shownSats(sats)],
        }))}
      />
    </section>
  )
}

interface ChartsProps {
  readonly series: ResponseOf<'getSeries'>
  readonly span: TimeSpan
}

function Charts({ series, span }: ChartsProps) {
  const { points } = series
  const income = useMemo(
    () => linesOf(points, span, ({ revenue_msat: msat }) => Number(msat) / 1_000),
    [points],
  )
  const counts = useMemo(
    () =>
      totalsOf(points, span, {
        offered: ({ offered }) => offered,
        paid: ({ settled }) => settled,
        served: ({ served_paid: served }) => served,
      }),
    [points],
  )
  return (
    <>
      {points.length > 0 && (
        <div class="halves">
          <figure>
            <figcaption>Income over time</figcaption>
            <Chart label="Income by service over time" unit="sat" {...income} />
          </figure>
          <figure>
            <figcaption>Offers, payments and paid requests</figcaption>
            <Chart label="Offers, payments and paid requests over time" unit="" {...counts} />
          </figure>
        </div>
      )}
    </>
  )
}

function Funnel({ funnel }: { readonly funnel: Funnel }) {
  const steps = [
    ['Offered (402)', funnel.offered],
    ['Paid', funnel.settled],
    ['Used', funnel.used],
  ] as const
  const most = Math.max(1, funnel.offered, funnel.settled, funnel.used)
  return (
    <section class="card" aria-label="From offer to use">
      <h2>From offer to use</h2>
      <dl class="funnel">
        {steps.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {shownCount(count)}
              {count !== funnel.offered &&
                funnel.offered > 0 &&
                ` (${percent(count, funnel.offered)})`}
              <div
                class="bar"
                role="meter"
                aria-label={name}
                aria-valuemin={0}
                aria-valuemax={most}
                aria-valuenow={count}
              >
                <div style={{ width: `${(100 * count) / most}%` }} />
              </div>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

const percent = (part: number, whole: number) => `${Math.round((100 * part) / whole)} %`

function Happening() {
  const { state, error, events } = useFeed()
  return (
    <section class="card" aria-label="Now">
      <h2>
        Now <State word={state} />
      </h2>
      {state === 'broken' && <Trouble error={error} />}
      {events.length === 0 && <p class="empty">What happens from now on is shown here.</p>}
      <ol class="feed" aria-live="polite">
        {events.map((event, n) => (
          <li key={events.length - n}>
            <time dateTime={event.at}>{shownClock(event.at)}</time> {told(event)}
          </li>
        ))}
      </ol>
    </section>
  )
}

function told(event: HubEvent): string {
  switch (event.type) {
    case 'offered':
      return `${event.service_name}: asked for ${shownMsats(event.price_msat)}`
    case 'settled':
      return `${event.service_name}: ${shownMsats(event.price_msat)} came in`
    case 'used':
      return `${event.service_name}: a paid request is served`
    case 'node':
      return `node ${event.name}: ${event.state}${event.reason && `, ${event.reason}`}`
    case 'pairing':
      return `pairing ${event.name}: ${event.stage}${event.reason && `, ${event.reason}`}`
    case 'services':
      return 'the services were changed'
  }
}
