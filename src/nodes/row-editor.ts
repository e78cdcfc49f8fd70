/** Changes of rows, one after the other: two that read the same row would undo each other's. */
import type { NodeRow, NodeRows } from '../store/node-rows.ts'

/** Edits the rows of one process. */
export class RowEditor {
  readonly rows: NodeRows
  #last: Promise<void> = Promise.resolve()

  constructor(rows: NodeRows) {
    this.rows = rows
  }

  /**
   * Puts what `change` makes of the row `name`; nothing when that is `undefined`. Resolves when it would
   * survive a crash; rejects with what `change` throws.
   */
  edit(name: string, change: (row: NodeRow | undefined) => NodeRow | undefined): Promise<void> {
    const done = this.#last.then(async () => {
      const row = change(this.rows.get(name))
      if (row) await this.rows.put(row)
    })
    this.#last = done.catch(() => {})
    return done
  }
}
