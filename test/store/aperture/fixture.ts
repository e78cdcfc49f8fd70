/** Databases as Aperture makes them: its schema of v0.5.0 (versions 1 to 7) and what came later. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { freshFile } from '../folder.ts'

const UP_TO_3 = `
create table schema_migrations (version uint64, dirty bool);
create unique index version_unique on schema_migrations (version);
CREATE TABLE IF NOT EXISTS secrets (
    id INTEGER PRIMARY KEY, hash BLOB UNIQUE NOT NULL, secret BLOB UNIQUE NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX IF NOT EXISTS secrets_hash_idx ON secrets (hash);
CREATE TABLE IF NOT EXISTS onion (
    private_key BLOB UNIQUE NOT NULL, created_at TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS lnc_sessions (
    id INTEGER PRIMARY KEY,
    passphrase_words TEXT NOT NULL UNIQUE,
    passphrase_entropy BLOB NOT NULL UNIQUE,
    remote_static_pub_key BLOB UNIQUE,
    local_static_priv_key BLOB NOT NULL,
    mailbox_addr TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expiry TIMESTAMP,
    dev_server BOOL NOT NULL
);
`

const FROM_4_TO_7 = `
CREATE TABLE IF NOT EXISTS l402_transactions (
    id INTEGER PRIMARY KEY, token_id BLOB, payment_hash BLOB NOT NULL, identifier_hash BLOB,
    service_name TEXT NOT NULL, price_sats BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', auth_type TEXT NOT NULL DEFAULT 'l402',
    created_at TIMESTAMP NOT NULL, settled_at TIMESTAMP
);
CREATE UNIQUE INDEX IF NOT EXISTS l402_transactions_identifier_hash_idx
    ON l402_transactions(identifier_hash) WHERE identifier_hash IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS l402_transactions_token_id_idx
    ON l402_transactions(token_id) WHERE token_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS services (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, address TEXT NOT NULL,
    protocol TEXT NOT NULL DEFAULT 'http', host_regexp TEXT NOT NULL DEFAULT '.*',
    path_regexp TEXT NOT NULL DEFAULT '', price BIGINT NOT NULL DEFAULT 0,
    auth TEXT NOT NULL DEFAULT '', created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS mpp_sessions (
    id INTEGER PRIMARY KEY, session_id TEXT UNIQUE NOT NULL, payment_hash BLOB NOT NULL,
    deposit_sats BIGINT NOT NULL DEFAULT 0, spent_sats BIGINT NOT NULL DEFAULT 0,
    return_invoice TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'open',
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL
);
ALTER TABLE services ADD COLUMN auth_scheme TEXT NOT NULL DEFAULT 'l402';
`

/** 32 bytes of one value. */
export const filled = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value)

const CREATED = '2024-03-01 10:20:30.123456789 +0000 UTC'
/** The same in milliseconds. */
export const CREATED_MS = Date.UTC(2024, 2, 1, 10, 20, 30, 123)
/** When the first transaction was settled. */
export const SETTLED_MS = Date.UTC(2024, 2, 1, 10, 21)

/** An Aperture's database file; version 3 has no tables of the admin API. */
export interface ApertureFile {
  readonly file: string
  /** Still open, as by an Aperture that runs. */
  readonly database: Database
}

/**
 * Three root keys 1, 2, 3 under the hashes 11, 12, 13, one LNC session and one onion key; from version 4 on a
 * settled and a pending transaction of the first two, one of MPP, a service and an open session.
 */
export function makeAperture(version: 3 | 7 = 7): ApertureFile {
  const file = path.join(path.dirname(freshFile()), `aperture-${version}.db`)
  mkdirSync(path.dirname(file), { recursive: true })
  const database = new Sqlite(file)
  database.pragma('journal_mode = WAL')
  database.exec(version === 3 ? UP_TO_3 : UP_TO_3 + FROM_4_TO_7)
  database.prepare('insert into schema_migrations values (?, 0)').run(version)
  for (const at of [1, 2, 3]) addSecret(database, 10 + at, at)
  database.prepare('insert into onion values (?, ?)').run(Buffer.from('ED25519-V3:key'), CREATED)
  const words = 'abandon ability able about above absent absorb abstract absurd abuse'
  database
    .prepare('insert into lnc_sessions values (1, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(words, filled(7, 14), filled(2, 33), filled(9), 'box:443', CREATED, null, 1)
  if (version === 7) fillAdmin(database)
  return { file, database }
}

/** One more root key. */
export function addSecret(database: Database, hash: number, key: number): void {
  const insert = 'insert into secrets (hash, secret, created_at) values (?, ?, ?)'
  database.prepare(insert).run(filled(hash), filled(key), CREATED)
}

function fillAdmin(database: Database): void {
  const sale = database.prepare(
    'insert into l402_transactions values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const settled = '2024-03-01 10:21:00 +0000 UTC'
  sale.run(filled(21), filled(31), filled(11), 'maps', 5, 'settled', 'l402', CREATED, settled)
  sale.run(filled(22), filled(32), filled(12), 'maps', 6, 'pending', 'l402', CREATED, null)
  sale.run(null, filled(33), null, 'maps', 7, 'settled', 'mpp_charge', CREATED, settled)
  database
    .prepare('insert into services values (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run('maps', 'localhost:1', 'https', '^maps$', '^/v1', 9, 'on', CREATED, CREATED, 'l402+mpp')
  database
    .prepare("insert into mpp_sessions values (1, 's', ?, 10, 1, 'lnbc1', 'open', ?, ?)")
    .run(filled(34), CREATED, CREATED)
}
