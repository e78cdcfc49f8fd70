/** Many writes in one transaction, and so with one sync of the disk. */
import type { Database } from 'better-sqlite3'
import { isRefusal, sqliteCode } from './failure.ts'
import { prepareWrites } from './statements.ts'
import type { Outcome, Write } from './write.ts'

/** Carries out a batch; throws when nothing of it is on the disk. */
export type WriteBatch = (writes: readonly Write[]) => readonly Outcome[]

/**
 * Prepares `database` for batches. A write that is refused, for example as a duplicate, leaves the others of
 * its batch alone; a disk that is full or fails takes back the whole batch.
 */
export function prepareBatches(database: Database): WriteBatch {
  const apply = prepareWrites(database)
  // Within a transaction this is a savepoint.
  const one = database.transaction(apply)
  const batch = database.transaction((writes: readonly Write[]) =>
    writes.map((write): Outcome => {
      try {
        return { name: 'done', changes: one(write) }
      } catch (reason) {
        if (!database.inTransaction || !isRefusal(reason)) throw reason
        const message = reason instanceof Error ? reason.message : String(reason)
        return { name: 'refused', code: sqliteCode(reason), message }
      }
    }),
  )
  return (writes) => batch.immediate(writes)
}
