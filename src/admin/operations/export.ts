/** The whole list of transactions, for a spreadsheet. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  Transaction as StoredTransaction,
  TransactionFilter,
  Transactions,
} from '../../store/transactions.ts'
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
const ROWS_AT_ONCE = 250

/** `exportTransactions`. */
export function exportOperations(deps: AdminDeps): Pick<Operations, 'exportTransactions'> {
  const { transactions } = deps.store
  return {
    // What is wrong with the request is said before anything is sent.
    exportTransactions: async ({ limit, offset, ...request }, { signal }) =>
      lines(transactions, filterOf({ ...request, limit, offset }), { limit, offset, signal }),
  }
}

interface Part {
  /** 0 is all. */
  readonly limit: number
  readonly offset: number
  readonly signal: AbortSignal
}

/** The head and the lines, a page at a time, as fast as they are taken. */
async function* lines(
  transactions: Transactions,
  filter: TransactionFilter,
  { limit, offset, signal }: Part,
): AsyncGenerator<string, void, undefined> {
  yield csvLine(COLUMNS)
  let left = limit || Infinity
  let after: StoredTransaction | undefined
  while (left > 0 && !signal.aborted) {
    const asked = Math.min(left, ROWS_AT_ONCE)
    const page = { limit: asked, offset: after ? 0 : offset }
    const rows = transactions.list({ ...filter, after }, page)
    const shown = rows.map(shownTransaction)
    yield shown.map((row) => csvLine(COLUMNS.map((column) => row[column]))).join('')
    left -= rows.length
    after = rows.at(-1)
    if (rows.length < asked) return
    await nextTurn()
  }
}
