/** Whose request it is: the address of the socket, or what proxies that we trust say (`trustproxy`). */
import { isIPv4 } from 'node:net'
import { formatIp, isV4, mask, parseIp, V4_OFFSET_BYTES } from './ip.ts'
import { Networks } from './networks.ts'

/** Proxies whose `X-Forwarded-For` is believed. */
export interface TrustedProxies {
  has(address: string): boolean
}

/** What stands for a socket without an IP address, as in Aperture. */
const NO_ADDRESS = '0.0.0.0'

/** Reads `trustproxy`: addresses and networks. Throws `ERR_CONFIG_VALUE`. */
export const parseTrusted = (texts: readonly string[]): TrustedProxies =>
  new Networks(texts, 'trustproxy')

/** An address in its one spelling: no zone, no IPv4-mapped form. */
function canonical(text: string): string | undefined {
  // Nearly every socket; Node takes no other spelling of IPv4 for one.
  const v4 = text.startsWith('::ffff:') ? text.slice(7) : text
  if (isIPv4(v4)) return v4
  const bytes = parseIp(text)
  return bytes && formatIp(bytes)
}

/** One element of `X-Forwarded-For`; some proxies add the port. */
function readElement(text: string): string | undefined {
  const element = text.trim()
  const [, bracketed, v4] = /^(?:\[([^\]]+)\](?::\d{1,5})?|(\d[\d.]+):\d{1,5})$/.exec(element) ?? []
  return canonical(bracketed ?? v4 ?? element)
}

/**
 * The client's address in its one spelling. `X-Forwarded-For` is read from the right, for as long as the
 * one who wrote the element is trusted; an element that is no address ends that.
 */
export function clientAddress(
  socketAddress: string | undefined,
  xForwardedFor: string | undefined,
  trusted: TrustedProxies,
): string {
  let address = canonical(socketAddress ?? '') ?? NO_ADDRESS
  if (xForwardedFor === undefined) return address
  let end = xForwardedFor.length
  while (end >= 0 && trusted.has(address)) {
    const comma = end === 0 ? -1 : xForwardedFor.lastIndexOf(',', end - 1)
    const said = readElement(xForwardedFor.slice(comma + 1, end))
    if (said === undefined) return address
    address = said
    end = comma
  }
  return address
}

/**
 * The network of an address, `v4Bits` or `v6Bits` long, as a key: `192.0.2.0/24`. /24 and /48 tell clients
 * apart for freebies and rate limits (Aperture), /32 and /64 for the allowance of invoices.
 */
export function addressPrefix(address: string, v4Bits: number, v6Bits: number): string {
  const bytes = parseIp(address) ?? new Uint8Array(16)
  return isV4(bytes)
    ? `${formatIp(mask(bytes, 8 * V4_OFFSET_BYTES + v4Bits))}/${v4Bits}`
    : `${formatIp(mask(bytes, v6Bits))}/${v6Bits}`
}
