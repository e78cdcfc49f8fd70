/**
 * The tables as queries see them; `migrations.ts` makes them. Times are milliseconds since 1970. Integers are
 * read as `bigint`, for a price in millisatoshis can be beyond 2^53.
 */
import type { Generated } from 'kysely'

/** All tables. */
export interface Tables {
  readonly secrets: SecretsTable
  readonly transactions: TransactionsTable
  readonly pooled_invoices: PooledInvoicesTable
  readonly settle_indexes: SettleIndexesTable
  readonly nodes: NodesTable
  readonly services: ServicesTable
  readonly service_entries: ServiceEntriesTable
  readonly service_prices: ServicePricesTable
  readonly forgotten_offers: ForgottenOffersTable
  readonly lnc_sessions: LncSessionsTable
  readonly onion_keys: OnionKeysTable
}

type Blob = Uint8Array
type Integer = bigint

/** Root keys by the SHA-256 of the macaroon's identifier. */
interface SecretsTable {
  identifier_hash: Blob
  root_key: Blob
  created_ms: Integer
}

/** Offers and what became of them. */
interface TransactionsTable {
  id: Generated<Integer>
  state: 'pending' | 'settled'
  auth_type: string
  token_id: Blob | null
  payment_hash: Blob
  identifier_hash: Blob | null
  service: string
  price_msat: Integer
  created_ms: Integer
  settled_ms: Integer | null
  imported: Integer
  used_ms: Integer | null
  test: Generated<Integer>
}

/** Invoices made ahead and not sold yet. */
interface PooledInvoicesTable {
  payment_hash: Blob
  node: string
  amount_msat: Integer
  payment_request: string
  expires_ms: Integer
}

/** How far the invoice stream of a node was heard. */
interface SettleIndexesTable {
  node: string
  add_index: Integer
  settle_index: Integer
}

/** Paired nodes. */
interface NodesTable {
  name: string
  kind: 'lnc' | 'lnd'
  sealed: Blob
  alias: string | null
  pubkey: string | null
  network: string | null
  created_ms: Integer
}

/** Services made through Aperture's admin API. */
interface ServicesTable {
  name: string
  address: string
  protocol: string
  host_regexp: string
  path_regexp: string
  price_sat: Integer
  auth: string
  auth_scheme: string
  created_ms: Integer
  updated_ms: Integer
}

/** Services made or changed while the hub ran. */
interface ServiceEntriesTable {
  name: string
  /** JSON; null for one of the configuration's that was removed. */
  settings: string | null
  created_ms: Integer
  updated_ms: Integer
}

/** Prices that services had. */
interface ServicePricesTable {
  id: Generated<Integer>
  service: string
  price_sat: Integer
  since_ms: Integer
  set_by: string
}

/** Offers that were removed, by the hour in which they were made. */
interface ForgottenOffersTable {
  service: string
  hour_ms: Integer
  count: Integer
}

/** Sessions that an Aperture had paired; without secrets once they have become a node. */
interface LncSessionsTable {
  id: Blob
  phrase: string | null
  local_key: Blob | null
  remote_key: Blob | null
  mailbox: string
  insecure_tls: Integer
  created_ms: Integer
  expires_ms: Integer | null
}

/** Keys of Aperture's onion service. */
interface OnionKeysTable {
  private_key: Blob
  created_ms: Integer
}
