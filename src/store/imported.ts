/** What came from an Aperture and has no row of its own kind here. */
import type { Database } from 'better-sqlite3'
import { all, first, optionalNumber, sql } from './query.ts'
import type { Tables } from './tables.ts'
import { own } from './write.ts'
import type { Writer } from './writer.ts'

/** A service that was made through Aperture's admin API; its fields are all that Aperture kept of it. */
export interface ImportedService {
  readonly name: string
  readonly address: string
  readonly protocol: string
  readonly hostRegexp: string
  readonly pathRegexp: string
  readonly priceSat: bigint
  /** As in a configuration: `on`, `off`, `freebie 3`, empty. */
  readonly auth: string
  /** `l402`, `mpp` or `l402+mpp`. */
  readonly authScheme: string
}

/** A session of Lightning Node Connect that an Aperture had paired. */
export interface ImportedLncSession {
  /** SHA-256 of the entropy of the phrase, 32 bytes. */
  readonly id: Uint8Array
  /** The pairing phrase, ten words; secret. */
  readonly phrase: string
  /** 32 bytes; secret. */
  readonly localKey: Uint8Array
  /** 33 bytes, compressed; `undefined` when the pairing had not come to its end. */
  readonly remoteKey: Uint8Array | undefined
  /** `host:port` of the relay. */
  readonly mailbox: string
  /** Any certificate of the relay was accepted. */
  readonly insecureTls: boolean
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number | undefined
}

/** Rows that an import brought. */
export interface Imported {
  services(): readonly ImportedService[]
  /** Those that have not become a node yet. */
  lncSessions(): readonly ImportedLncSession[]
  /** Overwrites the secrets of a session that has become a node, whose keys are sealed; resolves to whether it was known. */
  adopted(id: Uint8Array): Promise<boolean>
  /** Private key of the onion service, as Tor spells it; secret. */
  onionKey(): Uint8Array | undefined
}

/** What an import brought into an open database. */
export function imported(database: Database, writer: Writer): Imported {
  return {
    services: () => importedServices(database),
    lncSessions: () =>
      all(database, sql.selectFrom('lnc_sessions').selectAll().orderBy('created_ms')).flatMap(
        session,
      ),
    adopted: async (id) => (await writer.ask({ name: 'adopted', id: own(id) })) > 0,
    onionKey: () =>
      first(database, sql.selectFrom('onion_keys').selectAll().orderBy('created_ms', 'desc'))
        ?.private_key,
  }
}

/** The services that it brought, by name. */
export const importedServices = (database: Database): readonly ImportedService[] =>
  all(database, sql.selectFrom('services').selectAll().orderBy('name')).map(service)

const service = (row: Tables['services']): ImportedService => ({
  name: row.name,
  address: row.address,
  protocol: row.protocol,
  hostRegexp: row.host_regexp,
  pathRegexp: row.path_regexp,
  priceSat: row.price_sat,
  auth: row.auth,
  authScheme: row.auth_scheme,
})

function session(row: Tables['lnc_sessions']): ImportedLncSession[] {
  if (row.phrase === null || row.local_key === null) return []
  return [
    {
      id: row.id,
      phrase: row.phrase,
      localKey: row.local_key,
      remoteKey: row.remote_key ?? undefined,
      mailbox: row.mailbox,
      insecureTls: row.insecure_tls !== 0n,
      createdAtMs: Number(row.created_ms),
      expiresAtMs: optionalNumber(row.expires_ms),
    },
  ]
}
