/**
 * HPACK's Huffman code, RFC 7541 §5.2 and appendix B. The code is canonical: codes count up over the
 * symbols ordered by code length, then by value, so the 257 lengths say it all.
 */
import { Http2Code, Http2Error } from './error.ts'

/** Code length in bits of symbols 0 to 255, one base-36 digit each (RFC 7541 appendix B). */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6' +
  'f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq'

const SYMBOLS = 256
const MAX_BITS = 30

/** Code lengths; the end-of-string symbol, 256, has the longest code of all. */
const lengths = Uint8Array.from({ length: SYMBOLS + 1 }, (_, symbol) =>
  symbol === SYMBOLS ? MAX_BITS : Number.parseInt(LENGTHS.charAt(symbol), 36),
)
const codes = new Uint32Array(SYMBOLS + 1)
/** Symbols in the order of their codes. */
const order = Uint16Array.from(lengths.keys()).sort(
  (a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b,
)
/** Per length: the first code, how many there are, and where their symbols start in `order`. */
const firstCode = new Uint32Array(MAX_BITS + 1)
const count = new Uint16Array(MAX_BITS + 1)
const firstIndex = new Uint16Array(MAX_BITS + 1)

for (const bits of lengths) count[bits] = (count[bits] ?? 0) + 1
for (let bits = 1, code = 0, index = 0; bits <= MAX_BITS; bits++, code *= 2) {
  firstCode[bits] = code
  firstIndex[bits] = index
  for (let n = count[bits] ?? 0; n > 0; n--) codes[order[index++] ?? 0] = code++
}

/** Bytes that `bytes` takes when encoded. */
export function huffmanLength(bytes: Uint8Array): number {
  let bits = 0
  for (const byte of bytes) bits += lengths[byte] ?? 0
  return Math.ceil(bits / 8)
}

/** `bytes` in Huffman code, padded with ones (RFC 7541 §5.2). */
export function huffmanEncode(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(huffmanLength(bytes))
  let at = 0
  // Up to 7 bits left over and 30 new ones: beyond 32, so arithmetic in place of shifts.
  let held = 0
  let heldBits = 0
  for (const byte of bytes) {
    const bits = lengths[byte] ?? 0
    held = held * 2 ** bits + (codes[byte] ?? 0)
    heldBits += bits
    while (heldBits >= 8) {
      heldBits -= 8
      const top = Math.floor(held / 2 ** heldBits)
      out[at++] = top
      held -= top * 2 ** heldBits
    }
  }
  if (heldBits > 0) out[at] = (held << (8 - heldBits)) | (0xff >>> heldBits)
  return out
}

/**
 * Decodes Huffman-coded `bytes` into at most `maxBytes`.
 * Throws `Http2Error` for the end-of-string symbol, for padding that is longer than 7 bits or not all
 * ones, and for more output than allowed.
 */
export function huffmanDecode(bytes: Uint8Array, maxBytes: number): Uint8Array {
  // The shortest code has 5 bits.
  const out = new Uint8Array(Math.min(Math.floor((bytes.length * 8) / 5), maxBytes))
  let written = 0
  let code = 0
  let bits = 0
  for (const byte of bytes) {
    for (let shift = 7; shift >= 0; shift--) {
      code = (code << 1) | ((byte >>> shift) & 1)
      const symbol = symbolOf(code, ++bits)
      if (symbol < 0) continue
      if (symbol === SYMBOLS) throw compression('the end-of-string symbol inside a string')
      if (written === out.length) throw compression('a string longer than allowed')
      out[written++] = symbol
      code = 0
      bits = 0
    }
  }
  // RFC 7541 §5.2: what is left over must be fewer than 8 bits, all ones.
  if (bits > 7 || code !== (1 << bits) - 1) throw compression('bad padding of a string')
  return out.subarray(0, written)
}

/** The symbol whose code is `code` of length `bits`, or -1. */
function symbolOf(code: number, bits: number): number {
  const offset = code - (firstCode[bits] ?? 0)
  if (offset < 0 || offset >= (count[bits] ?? 0)) return -1
  return order[(firstIndex[bits] ?? 0) + offset] ?? -1
}

const compression = (what: string): Http2Error => new Http2Error(Http2Code.compressionError, what)
