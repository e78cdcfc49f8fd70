/** What was offered and what was paid. */
import type { Database } from 'better-sqlite3'
import type { Compilable, Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { toHex } from '../base/bytes.ts'
import type { SettlementStore } from '../invoices/pool-store.ts'
import { all, first, optionalNumber, sql } from './query.ts'
import type { Sales } from './sales.ts'
import { type SalesOverTime, salesOverTime } from './series.ts'
import type { Tables } from './tables.ts'
import { own } from './write.ts'
import type { Writer } from './writer.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000
/** Bounds how long one commit of a long prune keeps other writes waiting. */
const PRUNE_AT_ONCE = 500

/** State of a transaction: offered, or paid. */
export type TransactionState = 'pending' | 'settled'

/** One offer of a token. */
export interface Transaction {
  readonly id: number
  readonly state: TransactionState
  /** `l402`; imported rows may say `mpp_charge`. */
  readonly authType: string
  /** 32 bytes; only imported rows lack it. */
  readonly tokenId: Uint8Array | undefined
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** 32 bytes; only imported rows lack it. */
  readonly identifierHash: Uint8Array | undefined
  readonly service: string
  readonly priceMsat: bigint
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  /** Milliseconds since 1970. */
  readonly settledAtMs: number | undefined
  /** Came from an Aperture. */
  readonly imported: boolean
  /** Whether its token is accepted once paid: not revoked. */
  readonly valid: boolean
  /** A payment of one's own. */
  readonly test: boolean
}

/** Which transactions are meant; all without a field. */
export interface TransactionFilter {
  readonly service?: string | undefined
  readonly state?: TransactionState | undefined
  readonly authType?: string | undefined
  readonly tokenId?: Uint8Array | undefined
  readonly id?: number | undefined
  readonly paymentHash?: Uint8Array | undefined
  readonly identifierHash?: Uint8Array | undefined
  /** Settled at this time or later, in milliseconds since 1970. */
  readonly settledFromMs?: number | undefined
  /** Settled at this time or earlier, in milliseconds since 1970. */
  readonly settledToMs?: number | undefined
  /** Beginning of a token id or a payment hash, in hex; text that is no hex fits none. */
  readonly search?: string | undefined
  /** Those whose token was not revoked. */
  readonly valid?: true | undefined
  /** Those that are not marked as tests. */
  readonly real?: boolean | undefined
  /** Those further down a list, for whoever reads all of it. */
  readonly after?: Pick<Transaction, 'createdAtMs' | 'id'> | undefined
}

/** Which part of a list is meant. */
export interface Page {
  /** 1 to 1,000; 100 without one. */
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** Reads and prunes transactions. */
export interface Transactions extends SettlementStore, SalesOverTime {
  /** Newest first. */
  list(filter?: TransactionFilter, page?: Page): readonly Transaction[]
  count(filter?: TransactionFilter): number
  /** Marks a transaction as a test or not; resolves to whether there is one of that id. */
  mark(id: number, test: boolean): Promise<boolean>
  /**
   * Forgets offers made before `createdBeforeMs` that nobody paid, with their root keys; resolves to how many.
   * Settled and imported ones stay for ever: an Aperture without its admin API leaves paid ones `pending`.
   * Call it only for a time up to which all nodes have been heard.
   */
  pruneUnpaid(createdBeforeMs: number): Promise<number>
}

/** The transactions of an open database. */
export function transactions(database: Database, writer: Writer, sales: Sales): Transactions {
  const list: Transactions['list'] = (filter = {}, page = {}) =>
    all(database, listed(filter, page)).map(transaction)
  return {
    ...settlements(database, writer, (changes, paymentHash) =>
      sales.settled(changes, () => list({ paymentHash })),
    ),
    list,
    count: (filter = {}) => {
      const query = filtered(filter).select(({ fn }) => fn.countAll<bigint>().as('count'))
      return Number(first(database, query)?.count ?? 0)
    },
    ...salesOverTime(database),
    mark: async (id, test) => (await writer.ask({ name: 'mark', id, test })) > 0,
    async pruneUnpaid(createdBeforeMs) {
      let pruned = 0
      for (;;) {
        const limit = PRUNE_AT_ONCE
        const gone = await writer.ask({ name: 'prune unpaid', createdBeforeMs, limit })
        pruned += gone
        if (gone < limit) return pruned
      }
    },
  }
}

function settlements(
  database: Database,
  writer: Writer,
  onSettled: (changes: number, paymentHash: Uint8Array) => void,
): SettlementStore {
  const underWay = new Set<string>()
  const inState = (state: TransactionState) =>
    database.prepare<[Uint8Array]>(
      `select 1 from transactions where payment_hash = ? and state = '${state}'`,
    )
  const pending = inState('pending')
  const settled = inState('settled')
  return {
    settle(paymentHash, settledAtMs) {
      const hex = toHex(paymentHash)
      if (underWay.has(hex) || !pending.get(paymentHash)) return false
      const write = { name: 'settle', paymentHash: own(paymentHash), atMs: settledAtMs } as const
      writer.keep(write, (changes) => {
        underWay.delete(hex)
        onSettled(changes, write.paymentHash)
      })
      underWay.add(hex)
      return true
    },
    isSettled: (paymentHash) =>
      underWay.has(toHex(paymentHash)) || settled.get(paymentHash) !== undefined,
  }
}

/** When the root key of a transaction was made; nothing once its token was revoked. */
const secret = (eb: Builder) =>
  eb
    .selectFrom('secrets')
    .whereRef('secrets.identifier_hash', '=', 'transactions.identifier_hash')
    .select('secrets.created_ms')

function filtered(filter: TransactionFilter) {
  const { service, state, authType, search, valid, real, after } = filter
  return sql.selectFrom('transactions').where((eb) => {
    const parts: Expression<SqlBool>[] = [...identified(eb, filter), ...settledWithin(eb, filter)]
    if (service !== undefined) parts.push(eb('service', '=', service))
    if (state !== undefined) parts.push(eb('state', '=', state))
    if (authType !== undefined) parts.push(eb('auth_type', '=', authType))
    if (search !== undefined) {
      const like = /^[0-9a-f]*$/i.test(search) ? `${search.toUpperCase()}%` : ''
      const hex = (column: 'token_id' | 'payment_hash') => eb.fn<string>('hex', [column])
      parts.push(eb.or([eb(hex('token_id'), 'like', like), eb(hex('payment_hash'), 'like', like)]))
    }
    if (valid) parts.push(eb.or([eb('identifier_hash', 'is', null), eb.exists(secret(eb))]))
    if (real) parts.push(eb('test', '=', 0n))
    if (after) parts.push(below(eb, after))
    return eb.and(parts)
  })
}

type Builder = ExpressionBuilder<Tables, 'transactions'>

function* identified(
  eb: Builder,
  { id, tokenId, paymentHash, identifierHash }: TransactionFilter,
): Generator<Expression<SqlBool>> {
  if (id !== undefined) yield eb('id', '=', BigInt(id))
  if (tokenId !== undefined) yield eb('token_id', '=', tokenId)
  if (paymentHash !== undefined) yield eb('payment_hash', '=', paymentHash)
  if (identifierHash !== undefined) yield eb('identifier_hash', '=', identifierHash)
}

function* settledWithin(
  eb: Builder,
  { settledFromMs, settledToMs }: TransactionFilter,
): Generator<Expression<SqlBool>> {
  if (settledFromMs !== undefined) yield eb('settled_ms', '>=', BigInt(settledFromMs))
  if (settledToMs !== undefined) yield eb('settled_ms', '<=', BigInt(settledToMs))
}

function below(eb: Builder, { createdAtMs, id }: Pick<Transaction, 'createdAtMs' | 'id'>) {
  const at = BigInt(createdAtMs)
  const before = eb.and([eb('created_ms', '=', at), eb('id', '<', BigInt(id))])
  // The first part is what an index finds.
  return eb.and([eb('created_ms', '<=', at), eb.or([eb('created_ms', '<', at), before])])
}

function listed(filter: TransactionFilter, { limit = DEFAULT_LIMIT, offset = 0 }: Page) {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new TypeError(`limit must be 1 to ${MAX_LIMIT}`)
  }
  if (!Number.isSafeInteger(offset) || offset < 0) throw new TypeError('offset must be 0 or more')
  return filtered(filter)
    .selectAll()
    .select((eb) => secret(eb).as('secret_ms'))
    .orderBy('created_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
}

type ListedRow = ReturnType<typeof listed> extends Compilable<infer Row> ? Row : never

const transaction = (row: ListedRow): Transaction => ({
  id: Number(row.id),
  state: row.state,
  authType: row.auth_type,
  tokenId: row.token_id ?? undefined,
  paymentHash: row.payment_hash,
  identifierHash: row.identifier_hash ?? undefined,
  service: row.service,
  priceMsat: row.price_msat,
  createdAtMs: Number(row.created_ms),
  settledAtMs: optionalNumber(row.settled_ms),
  imported: row.imported !== 0n,
  valid: row.secret_ms !== null,
  test: row.test !== 0n,
})
