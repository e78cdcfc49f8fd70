/** Where a mailbox relay is, as users write it. */
import { PinholeError } from '../../src/base/errors.ts'

/** A relay's address. `tls` is false for a relay that runs with `insecure: true`. */
export interface MailboxAddress {
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

const DEFAULT_TLS_PORT = 443
const DEFAULT_CLEARTEXT_PORT = 80

/**
 * Reads `host:port`, `host` (port 443) or `https://host:port`, all with TLS; `http://host:port` is a relay
 * without TLS (`insecure: true`), for loopback and for hosts behind a proxy: what travels is encrypted end
 * to end all the same, but the stream ids, which let anyone disturb the session, can be read on the way.
 *
 * @throws PinholeError ERR_RELAY_ADDRESS
 */
export function parseMailbox(mailbox: string): MailboxAddress {
  const trimmed = mailbox.trim()
  const withScheme = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`
  const url = tryUrl(withScheme)
  const tls = url?.protocol === 'https:'
  if (!url || !(tls || url.protocol === 'http:') || !isBare(url)) {
    throw new PinholeError('ERR_RELAY_ADDRESS', `${JSON.stringify(mailbox)} is not a host:port`)
  }
  const port =
    url.port === '' ? (tls ? DEFAULT_TLS_PORT : DEFAULT_CLEARTEXT_PORT) : Number(url.port)
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, tls }
}

/** `host:port` with brackets around an IPv6 address. */
export function authority(address: MailboxAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}

function tryUrl(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}

function isBare(url: URL): boolean {
  const rest = url.username + url.password + url.search + url.hash
  return url.hostname !== '' && rest === '' && (url.pathname === '/' || url.pathname === '')
}
