/** Prepared statements of the writer: one function for each kind of write. */
import type { Database } from 'better-sqlite3'
import type { NodeRow } from './node-rows.ts'
import type { ServicePrice } from './service-rows.ts'
import type { Write } from './write.ts'

type Runner = (...values: readonly unknown[]) => number

/** What carries out a write, within a transaction of the caller's; returns how many rows changed. */
export function prepareWrites(database: Database): (write: Write) => number {
  const run = (text: string): Runner => {
    const statement = database.prepare<unknown[]>(text)
    return (...values) => statement.run(...values).changes
  }
  const writes: Writes = {
    ...prepareTokens(run),
    ...prepareTransactions(database, run),
    ...preparePool(run),
    ...prepareNodes(run),
    ...prepareServices(run),
  }
  // The table has one function for each name; the compiler does not follow a name through it.
  return (write) => writes[write.name](write as never)
}

/** What carries out each kind of write. */
type Writes = { readonly [Name in Write['name']]: (write: Of<Name>) => number }

type Of<Name extends Write['name']> = Extract<Write, { name: Name }>

function prepareTokens(run: (text: string) => Runner) {
  const secret = run('insert into secrets (identifier_hash, root_key, created_ms) values (?, ?, ?)')
  const offer = run(
    `insert into transactions (state, auth_type, token_id, payment_hash, identifier_hash, service,
       price_msat, created_ms)
     values ('pending', 'l402', ?, ?, ?, ?, ?, ?)`,
  )
  const unpool = run('delete from pooled_invoices where payment_hash = ?')
  const revoke = run('delete from secrets where identifier_hash = ?')
  return {
    sell({ token }: Of<'sell'>): number {
      const { identifierHash, tokenId, paymentHash, service, priceMsat, createdAtMs } = token
      secret(identifierHash, token.rootKey, createdAtMs)
      offer(tokenId, paymentHash, identifierHash, service, priceMsat, createdAtMs)
      // In the same commit, so that no crash brings back an invoice that a client has seen.
      unpool(paymentHash)
      return 1
    },
    revoke: ({ identifierHash }: Of<'revoke'>) => revoke(identifierHash),
  }
}

/** An offer that was removed. */
interface Forgotten {
  readonly identifier_hash: Uint8Array | null
  readonly service: string
  readonly hour_ms: number
}

const HOUR_MS = 3_600_000

function prepareTransactions(database: Database, run: (text: string) => Runner) {
  const paid = run(
    `update transactions set state = 'settled', settled_ms = ?
     where identifier_hash = ? and state = 'pending'`,
  )
  const settle = run(
    `update transactions set state = 'settled', settled_ms = ?
     where payment_hash = ? and state = 'pending'`,
  )
  const used = run(
    'update transactions set used_ms = ? where identifier_hash = ? and used_ms is null',
  )
  const mark = run('update transactions set test = ? where id = ?')
  const forget = run(
    `insert into forgotten_offers (service, hour_ms, count) values (?, ?, 1)
     on conflict (service, hour_ms) do update set count = count + 1`,
  )
  const unpaid = database.prepare<[number, number], Forgotten>(
    `delete from transactions where id in (
         select id from transactions
         where state = 'pending' and imported = 0 and created_ms < ?
         order by created_ms limit ?)
       returning identifier_hash, service, created_ms / ${HOUR_MS} * ${HOUR_MS} as hour_ms`,
  )
  const secret = run('delete from secrets where identifier_hash = ?')
  return {
    paid({ atMs, identifierHash }: Of<'paid'>): number {
      used(atMs, identifierHash)
      return paid(atMs, identifierHash)
    },
    mark: ({ id, test }: Of<'mark'>) => mark(test ? 1n : 0n, id),
    settle: ({ atMs, paymentHash }: Of<'settle'>) => settle(atMs, paymentHash),
    'prune unpaid'({ createdBeforeMs, limit }: Of<'prune unpaid'>): number {
      const gone = unpaid.all(createdBeforeMs, limit)
      for (const { identifier_hash: identifierHash, service, hour_ms: hourMs } of gone) {
        secret(identifierHash)
        forget(service, hourMs)
      }
      return gone.length
    },
  }
}

function preparePool(run: (text: string) => Runner) {
  const add = run(
    `insert into pooled_invoices (payment_hash, node, amount_msat, payment_request, expires_ms)
     select ?, ?, ?, ?, ?
     where not exists (select 1 from transactions where payment_hash = ?)
     on conflict do nothing`,
  )
  const drop = run('delete from pooled_invoices where node = ? and amount_msat = ?')
  const dropNode = run('delete from pooled_invoices where node = ?')
  const pruneExpired = run('delete from pooled_invoices where expires_ms < ?')
  return {
    pool({ invoice }: Of<'pool'>): number {
      const { paymentHash, node, amountMsat, paymentRequest, expiresAtMs } = invoice
      return add(paymentHash, node, amountMsat, paymentRequest, expiresAtMs, paymentHash)
    },
    'drop price': ({ node, amountMsat }: Of<'drop price'>) => drop(node, amountMsat),
    'drop node': ({ node }: Of<'drop node'>) => dropNode(node),
    'prune expired': ({ nowMs }: Of<'prune expired'>) => pruneExpired(nowMs),
  }
}

function prepareNodes(run: (text: string) => Runner) {
  const index = run(
    `insert into settle_indexes (node, add_index, settle_index) values (?, ?, ?)
     on conflict (node) do update
     set add_index = excluded.add_index, settle_index = excluded.settle_index`,
  )
  const add = run(
    `insert into nodes (name, kind, sealed, alias, pubkey, network, created_ms)
     values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
  )
  const replace = run(
    `update nodes set kind = ?, sealed = ?, alias = ?, pubkey = ?, network = ?, created_ms = ?
     where name = ? and kind = ? and sealed = ? and alias is ? and pubkey is ? and network is ?
       and created_ms = ?`,
  )
  const valuesOf = ({ kind, sealed, alias, pubkey, network, createdAtMs }: NodeRow) =>
    [kind, sealed, alias ?? null, pubkey ?? null, network ?? null, createdAtMs] as const
  const remove = run('delete from nodes where name = ?')
  const removeIndex = run('delete from settle_indexes where node = ?')
  const removePool = run('delete from pooled_invoices where node = ?')
  const adopted = run('update lnc_sessions set phrase = null, local_key = null where id = ?')
  return {
    index: ({ node, indexes }: Of<'index'>) => index(node, indexes.addIndex, indexes.settleIndex),
    'put node'({ row, was }: Of<'put node'>): number {
      if (!was) return add(row.name, ...valuesOf(row))
      return replace(...valuesOf(row), row.name, ...valuesOf(was))
    },
    'remove node'({ node }: Of<'remove node'>): number {
      removeIndex(node)
      removePool(node)
      return remove(node)
    },
    adopted: ({ id }: Of<'adopted'>) => adopted(id),
  }
}

function prepareServices(run: (text: string) => Runner) {
  const put = run(
    `insert into service_entries (name, settings, created_ms, updated_ms) values (?, ?, ?, ?)
     on conflict (name) do update
     set settings = excluded.settings, created_ms = excluded.created_ms,
       updated_ms = excluded.updated_ms`,
  )
  const note = run(
    'insert into service_prices (service, price_sat, since_ms, set_by) values (?, ?, ?, ?)',
  )
  const notePrices = (prices: readonly ServicePrice[]): number => {
    for (const { service, priceSat, sinceMs, by } of prices) note(service, priceSat, sinceMs, by)
    return prices.length
  }
  const drop = run('delete from service_entries where name = ?')
  return {
    'put service'({ row, prices }: Of<'put service'>): number {
      notePrices(prices)
      return put(row.name, row.settings ?? null, row.createdAtMs, row.updatedAtMs)
    },
    'drop service': ({ service }: Of<'drop service'>) => drop(service),
    'note prices': ({ prices }: Of<'note prices'>) => notePrices(prices),
  }
}
