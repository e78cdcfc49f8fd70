/**
 * Changes of rows, one after the other: two that read the same row would undo each other's. Another process, such as a
 * command beside a hub, may change one as well: then it is read again.
 */
import type { NodeRow, NodeRows } from '../store/node-rows.ts'

/** Edits the rows of one process. */
export class RowEditor {
  readonly rows: NodeRows
  #last: Promise<void> = Promise.resolve()

  constructor(rows: NodeRows) {
    this.rows = rows
  }

  /**
   * Puts what `change` makes of the row `name`; nothing when that is `undefined`. It is called again for a row that
   * somebody else has changed meanwhile. Resolves when it would survive a crash; rejects with what `change` throws.
   */
  edit(name: string, change: (row: NodeRow | undefined) => NodeRow | undefined): Promise<void> {
    const done = this.#last.then(async () => {
      for (;;) {
        const was = this.rows.get(name)
        const row = change(was)
        if (!row || (await this.rows.put(row, was))) return
      }
    })
    this.#last = done.catch(() => {})
    return done
  }
}
