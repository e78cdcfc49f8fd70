/** Payments of one's own, told apart from those of customers. */
import { PinholeError } from '../../base/errors.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { shownTransaction } from './sales.ts'

/** `markTransaction`. */
export const markOperations = ({ store }: AdminDeps): Pick<Operations, 'markTransaction'> => ({
  async markTransaction({ id, test }) {
    await store.transactions.mark(id, test)
    const [marked] = store.transactions.list({ id }, { limit: 1 })
    if (!marked) throw new PinholeError('ERR_ADMIN_NOT_FOUND', 'transaction not found')
    return shownTransaction(marked)
  },
})
