/** Sales over time. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SeriesStep } from '../../store/series.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { spanOf } from './sales.ts'
import { refuse } from './service-rules.ts'

const SECOND_MS = 1_000
/** Steps of a series that says no span. */
const DEFAULT_STEPS = 48
const MAX_STEPS = 10_000

type Point = {
  -readonly [Key in Exclude<keyof SeriesStep, 'atMs' | 'service'>]: SeriesStep[Key]
} & {
  servedPaid: number
}

/** `getSeries`. */
export function seriesOperations({ store, uses, clock }: AdminDeps): Pick<Operations, 'getSeries'> {
  return {
    async getSeries({ from, to, step_seconds: stepSeconds, exclude_test: real = false }) {
      const stepMs = stepSeconds * SECOND_MS
      const { settledFromMs, settledToMs: toMs = clock.wall() } = spanOf({ from, to })
      const fromMs = settledFromMs ?? toMs - DEFAULT_STEPS * stepMs
      if ((toMs - fromMs) / stepMs > MAX_STEPS) {
        refuse(`step_seconds: more than ${MAX_STEPS} steps in that span; ask for longer ones`)
      }
      const points = new Map<number, Map<string, Point>>()
      const pointOf = (atMs: number, service: string): Point => {
        const services = points.get(atMs) ?? new Map<string, Point>()
        const point = services.get(service) ?? { ...NOTHING }
        points.set(atMs, services.set(service, point))
        return point
      }
      const span = { fromMs, toMs, real }
      for (const part of store.transactions.series({ ...span, stepMs })) {
        for (const step of part) {
          const point = pointOf(step.atMs, step.service)
          point.offered += step.offered
          point.settled += step.settled
          point.revenueMsat += step.revenueMsat
        }
        await nextTurn()
      }
      for (const { atMs, service, count } of uses.between(fromMs, toMs, stepMs)) {
        pointOf(atMs, service).servedPaid += count
      }
      const funnel = { offered: 0, settled: 0, used: 0 }
      for (const part of store.transactions.funnel(span)) {
        funnel.offered += part.offered
        funnel.settled += part.settled
        funnel.used += part.used
        await nextTurn()
      }
      return { points: shownPoints(points), funnel }
    },
  }
}

const NOTHING: Point = { offered: 0, settled: 0, revenueMsat: 0n, servedPaid: 0 }

const shownPoints = (points: ReadonlyMap<number, ReadonlyMap<string, Point>>) =>
  [...points]
    .sort(([a], [b]) => a - b)
    .flatMap(([atMs, services]) =>
      [...services]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([service_name, { offered, settled, revenueMsat, servedPaid }]) => ({
          at: new Date(atMs).toISOString(),
          service_name,
          offered,
          settled,
          revenue_msat: String(revenueMsat),
          served_paid: servedPaid,
        })),
    )
