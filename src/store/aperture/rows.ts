/** The rows of an Aperture's database (schema versions 1 to 9), checked and in our units. */
import { MSAT_PER_SAT } from '../../base/amount.ts'
import { createHash } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { PinholeError } from '../../base/errors.ts'
import type { Tables } from '../tables.ts'
import { parseGoTime } from './go-time.ts'

const HASH_BYTES = 32
const KEY_BYTES = 32

/** What an Aperture has stored. */
export interface ApertureRows {
  readonly secrets: readonly Tables['secrets'][]
  readonly transactions: readonly Omit<
    Tables['transactions'],
    'id' | 'imported' | 'used_ms' | 'test'
  >[]
  readonly services: readonly Tables['services'][]
  readonly lncSessions: readonly Tables['lnc_sessions'][]
  readonly onionKeys: readonly Tables['onion_keys'][]
  /** Rows that no Aperture writes, such as a root key of another length. */
  readonly skipped: number
  /** Open sessions of MPP, whose deposits Pinhole does not take over. */
  readonly openMppSessions: number
}

type Row = Readonly<Record<string, unknown>>

/** Reads everything; `nowMs` stands for a time of creation that cannot be read. */
export function readAperture(database: Database, nowMs: number): ApertureRows {
  let skipped = 0
  const read = <T>(table: Table, toRow: (row: Row, created: Created) => T | undefined): T[] =>
    select(database, table).flatMap((row) => {
      const read = toRow(row, (value) => BigInt(parseGoTime(value) ?? nowMs))
      if (read === undefined) skipped++
      return read === undefined ? [] : [read]
    })
  const secrets = read('secrets', secret)
  const transactions = read('l402_transactions', transaction)
  const services = read('services', service)
  const lncSessions = read('lnc_sessions', lncSession)
  const onionKeys = read('onion', onionKey)
  const sessions = select(database, 'mpp_sessions').filter(({ status }) => status === 'open')
  const openMppSessions = sessions.length
  return { secrets, transactions, services, lncSessions, onionKeys, skipped, openMppSessions }
}

// Those of version 9 that are of use; a column with "?" came later than its table.
const COLUMNS = {
  secrets: 'hash secret created_at',
  l402_transactions:
    'token_id payment_hash identifier_hash service_name price_sats state auth_type created_at settled_at',
  services:
    'name address protocol host_regexp path_regexp price auth created_at updated_at auth_scheme?',
  lnc_sessions:
    'passphrase_words passphrase_entropy remote_static_pub_key local_static_priv_key mailbox_addr created_at expiry dev_server',
  onion: 'private_key created_at',
  mpp_sessions: 'status',
} as const

type Table = keyof typeof COLUMNS

/** All rows of a table, none when this Aperture has no such table. */
function select(database: Database, table: Table): readonly Row[] {
  const columns = COLUMNS[table].split(' ')
  const present = database
    .prepare<[string], string>('select name from pragma_table_info(?)')
    .pluck()
    .all(table)
  if (present.length === 0) return []
  const names = columns.map((column) => column.replace('?', ''))
  const missing = columns.find((column) => !column.endsWith('?') && !present.includes(column))
  if (missing !== undefined) {
    const text = `the table ${table} has no column ${missing}: an Aperture that is unknown here`
    throw new PinholeError('ERR_STORE_IMPORT', text)
  }
  const list = names.filter((name) => present.includes(name)).join(', ')
  return database.prepare<[], Row>(`select ${list} from ${table}`).safeIntegers().all()
}

type Created = (value: unknown) => bigint

function secret(row: Row, created: Created): Tables['secrets'] | undefined {
  const hash = blob(row['hash'], HASH_BYTES)
  const rootKey = blob(row['secret'], KEY_BYTES)
  if (!hash || !rootKey) return undefined
  return { identifier_hash: hash, root_key: rootKey, created_ms: created(row['created_at']) }
}

function transaction(row: Row, created: Created): ApertureRows['transactions'][number] | undefined {
  const paymentHash = blob(row['payment_hash'], HASH_BYTES)
  const price = row['price_sats']
  if (!paymentHash || typeof price !== 'bigint') return undefined
  const createdMs = created(row['created_at'])
  const settled = row['state'] === 'settled'
  const settledMs = parseGoTime(row['settled_at'])
  return {
    state: settled ? 'settled' : 'pending',
    auth_type: text(row['auth_type']),
    token_id: blob(row['token_id']) ?? null,
    payment_hash: paymentHash,
    identifier_hash: blob(row['identifier_hash'], HASH_BYTES) ?? null,
    service: text(row['service_name']),
    price_msat: price * MSAT_PER_SAT,
    created_ms: createdMs,
    settled_ms: settled ? (optional(settledMs) ?? createdMs) : null,
  }
}

const service = (row: Row, created: Created): Tables['services'] => ({
  name: text(row['name']),
  address: text(row['address']),
  protocol: text(row['protocol']),
  host_regexp: text(row['host_regexp']),
  path_regexp: text(row['path_regexp']),
  price_sat: typeof row['price'] === 'bigint' ? row['price'] : 0n,
  auth: text(row['auth']),
  auth_scheme: text(row['auth_scheme']) || 'l402',
  created_ms: created(row['created_at']),
  updated_ms: created(row['updated_at']),
})

function lncSession(row: Row, created: Created): Tables['lnc_sessions'] | undefined {
  const entropy = blob(row['passphrase_entropy'])
  const localKey = blob(row['local_static_priv_key'], KEY_BYTES)
  if (!entropy || !localKey) return undefined
  return {
    id: createHash('sha256').update(entropy).digest(),
    phrase: text(row['passphrase_words']),
    local_key: localKey,
    remote_key: blob(row['remote_static_pub_key']) ?? null,
    mailbox: text(row['mailbox_addr']),
    insecure_tls: row['dev_server'] ? 1n : 0n,
    created_ms: created(row['created_at']),
    expires_ms: optional(parseGoTime(row['expiry'])),
  }
}

function onionKey(row: Row, created: Created): Tables['onion_keys'] | undefined {
  const key = blob(row['private_key'])
  return key && { private_key: key, created_ms: created(row['created_at']) }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const optional = (ms: number | undefined): bigint | null => (ms === undefined ? null : BigInt(ms))

/** Bytes of a column, of this length when one is given. */
function blob(value: unknown, length?: number): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return undefined
  return length === undefined || bytes.length === length ? bytes : undefined
}
