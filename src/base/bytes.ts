/** Byte helpers that work in Node and in a browser alike (no `Buffer`, no `node:` import). */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: false })
const HEX = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

/** UTF-8 bytes of `text`. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** Text of UTF-8 `bytes`; malformed sequences become U+FFFD. */
export const text = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += HEX[byte]
  return out
}

/** Bytes of a hex string in either case, or `undefined` when it is not one. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined
  const out = new Uint8Array(hex.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** One array that holds `parts` in order; always a copy. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Memory that a view may keep alive beside its own bytes. */
const MAX_SPARE_BYTES = 4096

/**
 * `bytes` themselves, or a copy where they are a small part of their memory: one byte that is kept of each read would
 * keep all that was read.
 */
export function compact(bytes: Uint8Array): Uint8Array {
  const spare = bytes.buffer.byteLength - bytes.length
  // Not `slice`, which in Node's `Buffer` does not copy.
  return spare > Math.max(MAX_SPARE_BYTES, bytes.length) ? new Uint8Array(bytes) : bytes
}

/**
 * Whether two byte strings are equal, in time that depends on their lengths only.
 * For secrets; JavaScript gives no harder promise than that.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** Overwrites `secrets` with zeros once they are of no more use. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}
