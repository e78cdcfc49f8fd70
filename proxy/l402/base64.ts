/** Base64 of macaroons: written as RFC 4648 section 4 says, read as the field writes it. */

const ALPHABETS = /^[A-Za-z0-9+/_-]*={0,2}$/

/** Standard alphabet, padded. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * The bytes of `text` in the standard or the URL-safe alphabet, padded or not; `undefined` when it is
 * neither, is empty, or stands for more than `maxBytes`.
 */
export function fromBase64(text: string, maxBytes: number): Uint8Array | undefined {
  // Four characters hold three bytes; three more are room for padding.
  if (text.length === 0 || text.length > Math.ceil(maxBytes / 3) * 4 + 3) return undefined
  if (!ALPHABETS.test(text)) return undefined
  const digits = text.replace(/=+$/, '').length
  if (digits % 4 === 1 || digits === 0) return undefined
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
  return bytes.length > maxBytes ? undefined : bytes
}
