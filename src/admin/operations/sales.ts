/** What was offered and paid, the tokens of it, and sums. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseTime } from '../../base/time.ts'
import { MSAT_PER_SAT } from '../../base/amount.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import { PinholeError } from '../../base/errors.ts'
import type {
  Transaction as StoredTransaction,
  TransactionFilter,
} from '../../store/transactions.ts'
import type { CheckedRequestOf, Transaction } from '../contract.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { refuse } from './service-rules.ts'

type Names = 'listTransactions' | 'listTokens' | 'revokeToken' | 'getStats'

const DEFAULT_LIMIT = 50
const TOKEN_ID_BYTES = 32

/** The operations on transactions and tokens. */
export function salesOperations({ store }: AdminDeps): Pick<Operations, Names> {
  const { transactions, tokens } = store
  const list = (filter: TransactionFilter, { limit, offset }: { limit: number; offset: number }) =>
    transactions.list(filter, { limit: limit || DEFAULT_LIMIT, offset }).map(shownTransaction)
  return {
    async listTransactions(request) {
      const filter = filterOf(request)
      return {
        transactions: list(filter, request),
        total_count: String(transactions.count(filter)),
      }
    },
    async listTokens(request) {
      const filter = { state: 'settled', valid: true, search: request.search } as const
      return { tokens: list(filter, request), total_count: String(transactions.count(filter)) }
    },
    async revokeToken({ token_id, dry_run: dryRun }) {
      const tokenId = readTokenId(token_id)
      const [sold] = transactions.list({ tokenId, valid: true }, { limit: 1 })
      if (!sold?.identifierHash) throw unknownToken()
      if (!dryRun && !(await tokens.revoke(sold.identifierHash))) throw unknownToken()
      return { status: 'revoked' }
    },
    async getStats({ from, to, exclude_test: real }) {
      const { settledFromMs: fromMs, settledToMs: toMs } = spanOf({ from, to })
      const span = fromMs === undefined || toMs === undefined ? {} : { fromMs, toMs }
      const earned = new Map<string, bigint>()
      let sold = 0
      let totalMsat = 0n
      for (const part of transactions.revenue({ ...span, real: real ?? false })) {
        for (const { service, count, msat } of part) {
          earned.set(service, (earned.get(service) ?? 0n) + msat)
          sold += count
          totalMsat += msat
        }
        await nextTurn()
      }
      return {
        total_revenue_sats: String(totalMsat / MSAT_PER_SAT),
        transaction_count: String(sold),
        service_breakdown: [...earned]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([service_name, msat]) => ({
            service_name,
            total_revenue_sats: String(msat / MSAT_PER_SAT),
          })),
      }
    },
  }
}

/** What a list of transactions asks for. @throws ERR_ADMIN_REQUEST */
export function filterOf(request: CheckedRequestOf<'listTransactions'>): TransactionFilter {
  const { service, state, start_date: start, end_date: end, search, exclude_test: real } = request
  if (state !== '' && state !== 'pending' && state !== 'settled') {
    refuse(`invalid state ${JSON.stringify(state)}, must be 'pending' or 'settled'`)
  }
  if ((start === '') !== (end === '')) refuse('both start_date and end_date must be set together')
  const settledFromMs = readTime(start, 'start_date format')
  const settledToMs = readTime(end, 'end_date format')
  if (settledFromMs !== undefined && settledToMs !== undefined && settledToMs < settledFromMs) {
    refuse('end_date must be >= start_date')
  }
  return {
    service: service || undefined,
    state: state || undefined,
    search: search || undefined,
    real,
    settledFromMs,
    settledToMs,
  }
}

/** A time span, of when was paid. @throws ERR_ADMIN_REQUEST */
export function spanOf({ from, to }: { from: string; to: string }): TransactionFilter {
  if ((from === '') !== (to === '')) refuse("both 'from' and 'to' must be set together")
  const settledFromMs = readTime(from, "'from' time format")
  const settledToMs = readTime(to, "'to' time format")
  if (settledFromMs !== undefined && settledToMs !== undefined && settledToMs < settledFromMs) {
    refuse("'to' must be greater than or equal to 'from'")
  }
  return { settledFromMs, settledToMs }
}

/** A transaction as it is given back. */
export function shownTransaction(stored: StoredTransaction): Transaction {
  const { tokenId, settledAtMs, priceMsat } = stored
  return {
    id: stored.id,
    token_id: tokenId ? toHex(tokenId) : '',
    payment_hash: toHex(stored.paymentHash),
    service_name: stored.service,
    price_sats: String(priceMsat / MSAT_PER_SAT),
    state: stored.state,
    created_at: shownTime(stored.createdAtMs),
    settled_at: settledAtMs === undefined ? '' : shownTime(settledAtMs),
    price_msat: String(priceMsat),
    auth_type: stored.authType,
    imported: stored.imported,
    valid: stored.valid,
    test: stored.test,
  }
}

const shownTime = (ms: number): string => new Date(ms).toISOString()

function readTime(text: string, what: string): number | undefined {
  if (text === '') return undefined
  return parseTime(text) ?? refuse(`invalid ${what}`)
}

function readTokenId(hex: string): Uint8Array {
  if (hex === '') refuse('missing token ID')
  const id = fromHex(hex)
  if (!id) return refuse('invalid token ID')
  if (id.length !== TOKEN_ID_BYTES) refuse(`token ID must be 32 bytes, got ${id.length}`)
  return id
}

const unknownToken = () => new PinholeError('ERR_ADMIN_NOT_FOUND', 'token not found')
