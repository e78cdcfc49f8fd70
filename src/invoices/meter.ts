/** What the invoices count, by node. */

/** Where a request got its invoice from. */
export type Supply = 'pool' | 'demand'

/** Why an invoice was not made, kept or given out. */
export type Failure = 'away' | 'busy' | 'failed' | 'timeout' | 'node' | 'store'

/** Figures of one node. */
export interface NodeFigures {
  made: number
  readonly given: Record<Supply, number>
  readonly failures: Record<Failure, number>
  settled: number
  /** Streams of invoices begun. */
  streams: number
}

/** Figures of all nodes. */
export class Meter {
  readonly nodes = new Map<string, NodeFigures>()
  /** Told how long, in milliseconds, a request has waited that found nothing ready. */
  onWait: (node: string, ms: number) => void = () => {}

  /** The figures of `node`, to be changed. */
  of(node: string): NodeFigures {
    let figures = this.nodes.get(node)
    if (!figures) {
      figures = {
        made: 0,
        given: { pool: 0, demand: 0 },
        failures: { away: 0, busy: 0, failed: 0, timeout: 0, node: 0, store: 0 },
        settled: 0,
        streams: 0,
      }
      this.nodes.set(node, figures)
    }
    return figures
  }
}
