/**
 * Base64 as protobuf's JSON has it: written in the standard alphabet with padding, read in the standard
 * or URL alphabet with or without padding. Runs in a browser; under Node its `Buffer` does the work.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const INVALID = 255

const VALUES = new Uint8Array(128).fill(INVALID)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i
VALUES['-'.charCodeAt(0)] = 62
VALUES['_'.charCodeAt(0)] = 63

const native: typeof Buffer | undefined = typeof Buffer === 'undefined' ? undefined : Buffer

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  if (native) {
    return native.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  }
  return toBase64InScript(bytes)
}

/** Bytes of a base64 text in any of the accepted forms, or `undefined` when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const length = decodedLength(text)
  if (length === undefined) return undefined
  if (!native) return fromBase64InScript(text, length)
  // Node leaves out what is not base64, so a text with such characters comes out short.
  const bytes = native.from(text, 'base64')
  return bytes.length === length ? bytes : undefined
}

/** Bytes that `text` decodes to if its characters are right; `undefined` when its length is wrong. */
function decodedLength(text: string): number | undefined {
  let end = text.length
  while (end > 0 && text.length - end < 2 && text.charCodeAt(end - 1) === 0x3d) end--
  if (end < text.length && text.length % 4 !== 0) return undefined
  return end % 4 === 1 ? undefined : Math.floor((end * 3) / 4)
}

/** `toBase64` without `Buffer`. */
export function toBase64InScript(bytes: Uint8Array): string {
  const out: string[] = []
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out.push(
      ALPHABET.charAt(word >> 18) + ALPHABET.charAt((word >> 12) & 63),
      left > 1 ? ALPHABET.charAt((word >> 6) & 63) : '=',
      left > 2 ? ALPHABET.charAt(word & 63) : '=',
    )
  }
  return out.join('')
}

/** `fromBase64` without `Buffer`, once the length is known to be right. */
export function fromBase64InScript(text: string, length: number): Uint8Array | undefined {
  const out = new Uint8Array(length)
  let word = 0
  let bits = 0
  let at = 0
  for (let i = 0; at < length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? INVALID
    if (value === INVALID) return undefined
    word = (word << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    out[at++] = (word >> bits) & 255
  }
  return out
}
