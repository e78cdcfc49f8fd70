/** DER (ITU-T X.690), as much of it as a certificate needs. */

/** One element: tag, length, content (X.690 §8.1). */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return Buffer.from([0x80 | digits.length, ...digits])
}

export const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts)
export const octets = (content: Uint8Array) => der(0x04, content)
export const utf8String = (text: string) => der(0x0c, Buffer.from(text, 'utf8'))
export const yes = der(0x01, Buffer.from([0xff]))

/** `content` inside a context-specific constructed tag (X.690 §8.14). */
export const explicit = (number: number, content: Uint8Array) => der(0xa0 | number, content)
/** `content` under a context-specific primitive tag. */
export const implicit = (number: number, content: Uint8Array) => der(0x80 | number, content)

/** A positive integer of these big-endian bytes (X.690 §8.3). */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first))
  return (digits[0] ?? 0) >= 0x80 ? der(0x02, Buffer.from([0]), digits) : der(0x02, digits)
}

/** Bits, the last `unused` of which do not count (X.690 §8.6). */
export const bits = (content: Uint8Array, unused = 0) => der(0x03, Buffer.from([unused]), content)

/** An object identifier such as `1.2.840.10045.4.3.2` (X.690 §8.19). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const base128 = (value: number): number[] => {
    const digits = [value % 128]
    for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 | (left % 128))
    }
    return digits
  }
  return der(0x06, Buffer.from([40 * first + second, ...rest.flatMap(base128)]))
}

/** A moment: UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function time(wallMs: number): Buffer {
  const stamp = new Date(wallMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  const short = new Date(wallMs).getUTCFullYear() < 2050
  return short ? der(0x17, Buffer.from(stamp.slice(2))) : der(0x18, Buffer.from(stamp))
}
