/** The points of a series, as lines over one row of times that has every step, also those in which nothing happened. */
import type { ResponseOf } from '../../src/admin/contract.ts'
import type { Line } from './parts/chart.tsx'

/** What happened at one service in one step of time. */
export type Point = ResponseOf<'getSeries'>['points'][number]

/** A stretch of time, and the steps that it is cut into. */
export interface Span {
  /** RFC 3339. */
  readonly from: string
  readonly to: string
  readonly stepSeconds: number
}

/** Times, in seconds since 1970, with a value of each line for each. */
export interface Lines {
  readonly times: readonly number[]
  readonly lines: readonly Line[]
}

const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1_000)

/** Every step of `span`, in step with the points. */
function timesOf(points: readonly Point[], { from, to, stepSeconds }: Span): number[] {
  const known = points.map(({ at }) => secondsOf(at))
  const offset = (known[0] ?? 0) % stepSeconds
  const first = Math.min(secondsOf(from), ...known)
  const times: number[] = []
  const begin = Math.ceil((first - offset) / stepSeconds) * stepSeconds + offset
  for (let time = begin; time <= secondsOf(to); time += stepSeconds) times.push(time)
  return times
}

function lineOf(label: string, points: readonly (readonly [string, number])[], times: number[]) {
  const sums = new Map<number, number>()
  for (const [at, value] of points) {
    const time = secondsOf(at)
    sums.set(time, (sums.get(time) ?? 0) + value)
  }
  return { label, values: times.map((time) => sums.get(time) ?? 0) }
}

/** A line for each service. */
export function linesOf(
  points: readonly Point[],
  span: Span,
  value: (point: Point) => number,
): Lines {
  const times = timesOf(points, span)
  const services = [...new Set(points.map(({ service_name: name }) => name))].sort()
  const lines = services.map((label) => {
    const own = points.filter(({ service_name: name }) => name === label)
    return lineOf(
      label,
      own.map((point) => [point.at, value(point)] as const),
      times,
    )
  })
  return { times, lines }
}

/** A line over all services for each of `values`. */
export function totalsOf(
  points: readonly Point[],
  span: Span,
  values: Readonly<Record<string, (point: Point) => number>>,
): Lines {
  const times = timesOf(points, span)
  const lines = Object.entries(values).map(([label, value]) =>
    lineOf(
      label,
      points.map((point) => [point.at, value(point)] as const),
      times,
    ),
  )
  return { times, lines }
}
