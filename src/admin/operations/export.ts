/** The whole list of transactions, for a spreadsheet. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Transaction as StoredTransaction } from '../../store/transactions.ts'
import type { Transaction } from '../contract.ts'
import { csvLine } from '../csv.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { filterOf, shownTransaction } from './sales.ts'

const COLUMNS = [
  'id',
  'created_at',
  'settled_at',
  'state',
  'service_name',
  'price_sats',
  'price_msat',
  'auth_type',
  'token_id',
  'payment_hash',
  'valid',
  'imported',
  'test',
] as const satisfies readonly (keyof Transaction)[]

/** Rows read in one turn: the hub goes on serving in between. */
const ROWS_AT_ONCE = 500

/** `exportTransactions`. */
export function exportOperations(deps: AdminDeps): Pick<Operations, 'exportTransactions'> {
  const { transactions } = deps.store
  return {
    async exportTransactions({ limit, offset, ...request }, { signal }) {
      const filter = filterOf({ ...request, limit, offset })
      const lines = [csvLine(COLUMNS)]
      let left = limit || Infinity
      let after: StoredTransaction | undefined
      while (left > 0 && !signal.aborted) {
        const asked = Math.min(left, ROWS_AT_ONCE)
        const page = { limit: asked, offset: after ? 0 : offset }
        const rows = transactions.list({ ...filter, after }, page)
        for (const row of rows.map(shownTransaction)) {
          lines.push(csvLine(COLUMNS.map((column) => row[column])))
        }
        left -= rows.length
        after = rows.at(-1)
        if (rows.length < asked) break
        await nextTurn()
      }
      return lines.join('')
    },
  }
}
