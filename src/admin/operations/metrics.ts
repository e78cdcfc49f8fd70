/** What the hub counts. */
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'

/** `getMetrics`. */
export const metricsOperations = ({ metrics }: AdminDeps): Pick<Operations, 'getMetrics'> => ({
  getMetrics: () => metrics.registry.metrics(),
})
