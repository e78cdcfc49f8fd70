/** A set of addresses and networks in CIDR notation, as `trustproxy` and `blocklist` name them. */
import { PinholeError } from '../src/base/errors.ts'
import { formatIp, isV4, mask, parseIp, V4_OFFSET_BYTES } from './ip.ts'

const MAX_BITS = 128
const V4_OFFSET_BITS = 8 * V4_OFFSET_BYTES

interface Network {
  readonly bytes: Uint8Array
  /** Of the 16-byte form. */
  readonly bits: number
}

function parseNetwork(text: string): Network | undefined {
  const [, address = '', digits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? []
  const bytes = parseIp(address)
  if (!bytes) return undefined
  if (digits === undefined) return { bytes, bits: MAX_BITS }
  // The length of a network that is written with colons counts from its first bit, mapped or not.
  const offset = address.includes(':') ? 0 : V4_OFFSET_BITS
  const bits = offset + Number(digits)
  return bits <= MAX_BITS ? { bytes, bits } : undefined
}

/** Addresses and networks; membership costs one look-up for each length of prefix in use. */
export class Networks {
  readonly #byBits = new Map<number, Set<string>>()

  /** @throws `ERR_CONFIG_VALUE` that names `key` when one of `texts` is neither address nor network. */
  constructor(texts: readonly string[], key: string) {
    for (const text of texts) {
      const network = parseNetwork(text)
      if (!network) {
        const valid = 'an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32'
        throw new PinholeError(
          'ERR_CONFIG_VALUE',
          `${key}: each entry must be ${valid}, not ${JSON.stringify(text)}`,
        )
      }
      const { bits, bytes } = network
      const set = this.#byBits.get(bits) ?? new Set()
      this.#byBits.set(bits, set.add(formatIp(mask(bytes, bits))))
    }
  }

  /** Whether `address` is one of them or in one of them; never for what is no address. */
  has(address: string): boolean {
    if (this.#byBits.size === 0) return false
    const bytes = parseIp(address)
    if (!bytes) return false
    for (const [bits, set] of this.#byBits) {
      // ::/0 and the like are about IPv6: an IPv4 address is in none of them.
      if (bits < V4_OFFSET_BITS && isV4(bytes)) continue
      if (set.has(formatIp(bits === MAX_BITS ? bytes : mask(bytes, bits)))) return true
    }
    return false
  }
}

/** Reads `blocklist`. Throws `ERR_CONFIG_VALUE` where Aperture skips an entry that it cannot read. */
export const parseBlocklist = (texts: readonly string[]): Networks =>
  new Networks(texts, 'blocklist')
