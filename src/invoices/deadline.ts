/** An end to waiting for what others promise. */
import type { Clock } from '../base/clock.ts'

/** As `promise`, but rejects with what `late` returns when that takes longer than `withinMs`. */
export function withDeadline<Value>(
  promise: Promise<Value>,
  withinMs: number,
  clock: Clock,
  late: () => Error,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(withinMs, () => reject(late()))
    promise.finally(cancel).then(resolve, reject)
  })
}
