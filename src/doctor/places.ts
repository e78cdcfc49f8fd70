/** Where a hub is reached: at its own port, and under the name that the world knows it by. */
import { formatAddress, parseAddress } from '../config/address.ts'
import type { Config } from '../config/load.ts'

/** Whether `host` is this machine, seen from itself. */
export const isLoopback = (host: string): boolean =>
  /^(?:(?:.*\.)?localhost|127(?:\.\d+){3}|\[?::1\]?)$/i.test(host)

/** Whether others than this machine can come to the port itself. */
export function isOpen({ listenaddr }: Config): boolean {
  const host = parseAddress(listenaddr)?.host
  return host === undefined || !isLoopback(host)
}

/**
 * What clients dial, where `servername` says it: the port itself, or port 443 of what stands in front of a port that
 * only this machine reaches, or that speaks cleartext.
 */
export function publicUrl(config: Config): URL | undefined {
  const { servername, insecure, listenaddr } = config
  if (servername === '' || isLoopback(servername)) return undefined
  const inFront = insecure || !isOpen(config)
  const port = inFront ? 443 : (parseAddress(listenaddr)?.port ?? 443)
  return new URL(`https://${formatAddress(servername, port)}`)
}

/** Host and port of a URL. */
export const placeOf = ({ hostname, port, protocol }: URL) => ({
  host: hostname.replace(/^\[(.*)\]$/, '$1'),
  port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
})
