/** IP addresses as 16 bytes: an IPv4 address is its IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2). */
import { isIPv4, isIPv6 } from 'node:net'

/** Where the four bytes of an IPv4 address begin. */
export const V4_OFFSET_BYTES = 12
const ADDRESS_BYTES = 16

function writeV4(text: string, out: Uint8Array): void {
  text.split('.').forEach((part, index) => {
    out[V4_OFFSET_BYTES + index] = Number(part)
  })
}

function writeGroups(groups: readonly string[], first: number, out: Uint8Array): void {
  groups.forEach((group, index) => {
    const value = Number.parseInt(group, 16)
    out[2 * (first + index)] = value >> 8
    out[2 * (first + index) + 1] = value & 0xff
  })
}

const split = (text: string): string[] => (text === '' ? [] : text.split(':'))

function parseV6(text: string): Uint8Array {
  const out = new Uint8Array(ADDRESS_BYTES)
  let groups = text
  const dotted = /[^:]*\.[^:]*$/.exec(text)?.[0]
  if (dotted !== undefined) groups = `${text.slice(0, -dotted.length)}0:0`
  const [head = '', tail] = groups.split('::')
  writeGroups(split(head), 0, out)
  if (tail !== undefined) {
    const last = split(tail)
    writeGroups(last, ADDRESS_BYTES / 2 - last.length, out)
  }
  if (dotted !== undefined) writeV4(dotted, out)
  return out
}

/** The 16 bytes of an address as a socket or a header names it (a zone is dropped); `undefined` when it is none. */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIPv4(text)) {
    const out = new Uint8Array(ADDRESS_BYTES)
    out[10] = out[11] = 0xff
    writeV4(text, out)
    return out
  }
  return isIPv6(text) ? parseV6(text.replace(/%.*$/, '')) : undefined
}

/** Whether the 16 bytes hold an IPv4 address. */
export function isV4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}

/** The one spelling of an address: dotted for IPv4, RFC 5952 for IPv6. */
export function formatIp(bytes: Uint8Array): string {
  if (isV4(bytes)) return bytes.subarray(V4_OFFSET_BYTES).join('.')
  const groups = Array.from({ length: ADDRESS_BYTES / 2 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  )
  const text = groups.join(':')
  // The longest run of at least two zero groups, the first of several (RFC 5952 §4.2).
  const runs = text.match(/\b0(?::0)+\b/g) ?? []
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  if (longest === '') return text
  const at = text.search(new RegExp(`\\b${longest}\\b`))
  const before = text.slice(0, at).replace(/:$/, '')
  const after = text.slice(at + longest.length).replace(/^:/, '')
  return `${before}::${after}`
}

/** A copy of `bytes` of which only the first `bits` are kept. */
export function mask(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * index))
    return byte & (0xff << (8 - kept))
  })
}
