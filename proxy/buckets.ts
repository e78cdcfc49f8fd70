/** A histogram that costs a request a few comparisons: no label is looked up and nothing is allocated. */

/** Upper bounds in seconds: a remembered token on one machine, an API, a node behind a relay, a stream. */
export const REQUEST_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** Durations, counted by the first bound that they do not exceed. */
export class Buckets {
  readonly bounds: readonly number[]
  /** One more than there are bounds; the last one is for what exceeds them all. */
  readonly counts: Float64Array
  /** Seconds in all. */
  sum = 0

  constructor(bounds: readonly number[] = REQUEST_SECONDS) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Counts one duration. */
  add(seconds: number): void {
    const { bounds, counts } = this
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++
    counts[at] = (counts[at] ?? 0) + 1
    this.sum += seconds
  }
}
