/** The points of a series, as lines over one row of times. */
import type { ResponseOf } from '../../src/admin/contract.ts'
import type { Line } from './parts/chart.tsx'

type Point = ResponseOf<'getSeries'>['points'][number]

/** Times with a line for each service. */
export interface Lines {
  readonly times: readonly number[]
  readonly lines: readonly Line[]
}

const secondsOf = ({ at }: Point): number => Math.floor(Date.parse(at) / 1_000)

/** A line for each service; where a service has no point nothing happened. */
export function linesOf(points: readonly Point[], value: (point: Point) => number): Lines {
  const times = [...new Set(points.map(secondsOf))].sort((a, b) => a - b)
  const services = [...new Set(points.map(({ service_name: name }) => name))].sort()
  const lines = services.map((label) => {
    const own = points.filter(({ service_name: name }) => name === label)
    const byTime = new Map(own.map((point) => [secondsOf(point), value(point)]))
    return { label, values: times.map((time) => byTime.get(time) ?? 0) }
  })
  return { times, lines }
}

/** One line of all services for each of `values`. */
export function totalsOf(
  points: readonly Point[],
  values: Readonly<Record<string, (point: Point) => number>>,
): Lines {
  const times = [...new Set(points.map(secondsOf))].sort((a, b) => a - b)
  const lines = Object.entries(values).map(([label, value]) => {
    const sums = new Map<number, number>()
    for (const point of points) {
      const time = secondsOf(point)
      sums.set(time, (sums.get(time) ?? 0) + value(point))
    }
    return { label, values: times.map((time) => sums.get(time) ?? 0) }
  })
  return { times, lines }
}
