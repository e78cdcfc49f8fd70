/** How far a relay's certificate is trusted (Node). */

/** Options of the connection to a relay. */
export interface RelayTls {
  /** Accept any certificate: for a relay of one's own with a self-signed one. Default false. */
  readonly insecureTls?: boolean | undefined
  /** Certificates in PEM to trust in place of the system's: pins a self-signed relay. */
  readonly ca?: string | Uint8Array | undefined
}

/** The same as Node's TLS options. */
export function tlsOptions({ insecureTls = false, ca }: RelayTls): {
  rejectUnauthorized: boolean
  ca?: string | Buffer
} {
  const pinned = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : Buffer.from(ca) }
  return { rejectUnauthorized: !insecureTls, ...pinned }
}
