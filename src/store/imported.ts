/** What came from an Aperture and has no row of its own kind here. */

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
  /** Overwrites the secrets of a session that has become a node, whose keys are sealed. */
  adopted(id: Uint8Array): Promise<void>
  /** Private key of the onion service, as Tor spells it; secret. */
  onionKey(): Uint8Array | undefined
}
