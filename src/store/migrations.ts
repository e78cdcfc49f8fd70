/**
 * The schema, one numbered step after the other. A step that was released is never changed; a new one is added
 * at the end. `user_version` of the file is the number of the last step taken.
 */
import type { Database } from 'better-sqlite3'

const FIRST = `
create table secrets (
  identifier_hash blob not null primary key check (length(identifier_hash) = 32),
  root_key blob not null,
  created_ms integer not null
) strict, without rowid;

create table transactions (
  id integer primary key,
  state text not null check (state in ('pending', 'settled')),
  auth_type text not null,
  token_id blob,
  payment_hash blob not null,
  identifier_hash blob,
  service text not null,
  price_msat integer not null,
  created_ms integer not null,
  settled_ms integer,
  imported integer not null default 0
) strict;
-- An invoice is sold once by each scheme, whoever hands it out.
create unique index transactions_sale on transactions (payment_hash, auth_type);
create unique index transactions_token on transactions (token_id) where token_id is not null;
create unique index transactions_identifier on transactions (identifier_hash)
  where identifier_hash is not null;
create index transactions_created on transactions (created_ms);
create index transactions_settled on transactions (settled_ms) where state = 'settled';
create index transactions_unpaid on transactions (created_ms)
  where state = 'pending' and imported = 0;

create table pooled_invoices (
  payment_hash blob not null primary key check (length(payment_hash) = 32),
  node text not null,
  amount_msat integer not null,
  payment_request text not null,
  expires_ms integer not null
) strict, without rowid;

create table settle_indexes (
  node text not null primary key,
  add_index integer not null,
  settle_index integer not null
) strict, without rowid;

create table nodes (
  name text not null primary key,
  kind text not null check (kind in ('lnc', 'lnd')),
  sealed blob not null,
  alias text,
  pubkey text,
  network text,
  created_ms integer not null
) strict;

create table services (
  name text not null primary key,
  address text not null,
  protocol text not null,
  host_regexp text not null,
  path_regexp text not null,
  price_sat integer not null,
  auth text not null,
  auth_scheme text not null,
  created_ms integer not null,
  updated_ms integer not null
) strict;

create table lnc_sessions (
  id blob not null primary key,
  phrase text,
  local_key blob,
  remote_key blob,
  mailbox text not null,
  insecure_tls integer not null,
  created_ms integer not null,
  expires_ms integer
) strict;

create table onion_keys (
  private_key blob not null primary key,
  created_ms integer not null
) strict;
`

const SERVICE_ENTRIES = `
-- Services made or changed while the hub ran. Without settings: one of the configuration's file that was removed.
create table service_entries (
  name text not null primary key,
  settings text,
  created_ms integer not null,
  updated_ms integer not null
) strict;

create table service_prices (
  id integer primary key,
  service text not null,
  price_sat integer not null,
  since_ms integer not null,
  set_by text not null
) strict;
create index service_prices_service on service_prices (service, id);
`

const SALES_OVER_TIME = `
-- First use of a token; null for one that nobody has shown yet.
alter table transactions add column used_ms integer;
-- A payment of one's own.
alter table transactions add column test integer not null default 0;

-- How many offers that nobody paid were removed, by the hour in which they were made.
create table forgotten_offers (
  service text not null,
  hour_ms integer not null,
  count integer not null,
  primary key (service, hour_ms)
) strict, without rowid;
`

/** Steps from an empty file on. */
export const MIGRATIONS: readonly string[] = [FIRST, SERVICE_ENTRIES, SALES_OVER_TIME]

/** Number of the newest step. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** "Pinh": marks a file as ours (`PRAGMA application_id`). */
export const APPLICATION_ID = 0x50_69_6e_68

/** Number of the last step that the file has taken; 0 for an empty one. */
export const schemaVersion = (database: Database): number =>
  Number(database.pragma('user_version', { simple: true }))

/** Takes the steps that are missing, all or none of them. */
export function migrate(database: Database): void {
  const steps = database.transaction(() => {
    // Read again under the lock: another process may have been first.
    for (const step of MIGRATIONS.slice(schemaVersion(database))) database.exec(step)
    database.pragma(`application_id = ${APPLICATION_ID}`)
    database.pragma(`user_version = ${SCHEMA_VERSION}`)
  })
  steps.immediate()
}
