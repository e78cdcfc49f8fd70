/** How long to wait before the next try: short at first, growing, with jitter, never long. */

/** Bounds of one kind of retry, in milliseconds. */
export interface BackoffBounds {
  readonly firstMs: number
  readonly maxMs: number
}

/** After a lost or refused connection: a relay that restarts is found within a second. */
export const RECONNECT: BackoffBounds = { firstMs: 80, maxMs: 1000 }

/** While the other end has not made its boxes yet (LNC §11.3). */
export const NOT_FOUND: BackoffBounds = { firstMs: 60, maxMs: 300 }

const GROWTH = 1.6
const JITTER = 0.4

/**
 * Wait before retry `attempt` (0 is the first): grows by 1.6, within 40 % either way, so that clients of
 * a relay that comes back do not all knock at once.
 */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: () => number): number {
  const base = Math.min(bounds.maxMs, bounds.firstMs * GROWTH ** Math.min(attempt, 30))
  return base * (1 - JITTER + 2 * JITTER * random())
}
