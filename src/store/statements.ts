/** Prepared statements of the writer: one function for each kind of write. */
import type { Database } from 'better-sqlite3'
import type { NewToken } from '../../proxy/token-store.ts'
import type { PooledInvoice } from '../invoices/pool-store.ts'
import type { NodeRow } from './node-rows.ts'
import type { Write } from './write.ts'

type Runner = (...values: readonly unknown[]) => number

/** What carries out a write, within a transaction of the caller's; returns how many rows changed. */
export function prepareWrites(database: Database): (write: Write) => number {
  const run = (text: string): Runner => {
    const statement = database.prepare<unknown[]>(text)
    return (...values) => statement.run(...values).changes
  }
  const tokens = prepareTokens(run)
  const pool = preparePool(run)
  const nodes = prepareNodes(run)
  const settle = run(
    `update transactions set state = 'settled', settled_ms = ?
     where payment_hash = ? and state = 'pending'`,
  )
  const pruneUnpaid = prepareUnpaid(database, run)
  return (write) => {
    switch (write.name) {
      case 'sell':
        return tokens.sell(write.token)
      case 'paid':
        return tokens.paid(write.atMs, write.identifierHash)
      case 'settle':
        return settle(write.atMs, write.paymentHash)
      case 'revoke':
        return tokens.revoke(write.identifierHash)
      case 'prune unpaid':
        return pruneUnpaid(write.createdBeforeMs, write.limit)
      case 'pool':
        return pool.add(write.invoice)
      case 'drop price':
        return pool.drop(write.node, write.amountMsat)
      case 'drop node':
        return pool.dropNode(write.node)
      case 'prune expired':
        return pool.pruneExpired(write.nowMs)
      default:
        return nodes(write)
    }
  }
}

function prepareTokens(run: (text: string) => Runner) {
  const secret = run('insert into secrets (identifier_hash, root_key, created_ms) values (?, ?, ?)')
  const offer = run(
    `insert into transactions (state, auth_type, token_id, payment_hash, identifier_hash, service,
       price_msat, created_ms)
     values ('pending', 'l402', ?, ?, ?, ?, ?, ?)`,
  )
  const unpool = run('delete from pooled_invoices where payment_hash = ?')
  return {
    sell(token: NewToken): number {
      const { identifierHash, tokenId, paymentHash, service, priceMsat, createdAtMs } = token
      secret(identifierHash, token.rootKey, createdAtMs)
      offer(tokenId, paymentHash, identifierHash, service, priceMsat, createdAtMs)
      // In the same commit, so that no crash brings back an invoice that a client has seen.
      unpool(paymentHash)
      return 1
    },
    paid: run(
      `update transactions set state = 'settled', settled_ms = ?
       where identifier_hash = ? and state = 'pending'`,
    ),
    revoke: run('delete from secrets where identifier_hash = ?'),
  }
}

function prepareUnpaid(database: Database, run: (text: string) => Runner) {
  const offers = database
    .prepare<[number, number], Uint8Array | null>(
      `delete from transactions where id in (
         select id from transactions
         where state = 'pending' and imported = 0 and created_ms < ?
         order by created_ms limit ?)
       returning identifier_hash`,
    )
    .pluck()
  const secret = run('delete from secrets where identifier_hash = ?')
  return (createdBeforeMs: number, limit: number): number => {
    const gone = offers.all(createdBeforeMs, limit)
    for (const identifierHash of gone) secret(identifierHash)
    return gone.length
  }
}

function preparePool(run: (text: string) => Runner) {
  const add = run(
    `insert into pooled_invoices (payment_hash, node, amount_msat, payment_request, expires_ms)
     select ?, ?, ?, ?, ?
     where not exists (select 1 from transactions where payment_hash = ?)
     on conflict do nothing`,
  )
  return {
    add: ({ paymentHash, node, amountMsat, paymentRequest, expiresAtMs }: PooledInvoice) =>
      add(paymentHash, node, amountMsat, paymentRequest, expiresAtMs, paymentHash),
    drop: run('delete from pooled_invoices where node = ? and amount_msat = ?'),
    dropNode: run('delete from pooled_invoices where node = ?'),
    pruneExpired: run('delete from pooled_invoices where expires_ms < ?'),
  }
}

type NodeWrite = Extract<Write, { name: 'index' | 'put node' | 'remove node' | 'adopted' }>

function prepareNodes(run: (text: string) => Runner) {
  const index = run(
    `insert into settle_indexes (node, add_index, settle_index) values (?, ?, ?)
     on conflict (node) do update
     set add_index = excluded.add_index, settle_index = excluded.settle_index`,
  )
  const put = run(
    `insert into nodes (name, kind, sealed, alias, pubkey, network, created_ms)
     values (?, ?, ?, ?, ?, ?, ?)
     on conflict (name) do update
     set kind = excluded.kind, sealed = excluded.sealed, alias = excluded.alias,
       pubkey = excluded.pubkey, network = excluded.network, created_ms = excluded.created_ms`,
  )
  const remove = run('delete from nodes where name = ?')
  const removeIndex = run('delete from settle_indexes where node = ?')
  const removePool = run('delete from pooled_invoices where node = ?')
  const adopted = run('update lnc_sessions set phrase = null, local_key = null where id = ?')
  const putRow = ({ name, kind, sealed, alias, pubkey, network, createdAtMs }: NodeRow) =>
    put(name, kind, sealed, alias ?? null, pubkey ?? null, network ?? null, createdAtMs)
  return (write: NodeWrite): number => {
    switch (write.name) {
      case 'index':
        return index(write.node, write.indexes.addIndex, write.indexes.settleIndex)
      case 'put node':
        return putRow(write.row)
      case 'remove node':
        removeIndex(write.node)
        removePool(write.node)
        return remove(write.node)
      case 'adopted':
        return adopted(write.id)
    }
  }
}
