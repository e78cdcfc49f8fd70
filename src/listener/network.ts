import { isIP } from 'node:net'

/** 4 or 16 bytes of an IP address; `undefined` for anything else. */
export function addressBytes(address: string): Buffer | undefined {
  const [plain = ''] = address.split('%')
  if (isIP(plain) === 4) return Buffer.from(plain.split('.').map(Number))
  if (isIP(plain) !== 6) return undefined
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain)
  const hex = (a?: string, b?: string) => ((Number(a) << 8) | Number(b)).toString(16)
  const whole = dotted
    ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
    : plain
  const [head = '', tail] = whole.split('::')
  const words = (part: string) => (part === '' ? [] : part.split(':'))
  const gap =
    tail === undefined ? [] : Array<string>(8 - words(head).length - words(tail).length).fill('0')
  const groups = [...words(head), ...gap, ...words(tail ?? '')]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

const MAPPED_PREFIX = '::ffff:'
const NETWORK_BYTES = 8

/** An IPv4 address that a socket for both families writes as `::ffff:1.2.3.4`, and any other as it is. */
export function plainAddress(address: string): string {
  const mapped = address.startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : ''
  return isIP(mapped) === 4 ? mapped : address
}

/** Whom an address belongs to: itself, or in IPv6 the first 64 bits, which are one customer's. */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  const bytes = plain.includes(':') ? addressBytes(plain) : undefined
  return bytes ? `${bytes.toString('hex', 0, NETWORK_BYTES)}/64` : plain
}
