/** Bytes as bech32's words of five bits and back. */

const WORD_BITS = 5
const BYTE_BITS = 8

/** Bits regrouped; a rest shorter than `to` bits is filled with zeros or dropped. */
function regroup(values: Iterable<number>, from: number, to: number, fill: boolean): number[] {
  const out: number[] = []
  let held = 0
  let bits = 0
  for (const value of values) {
    held = (held << from) | value
    bits += from
    while (bits >= to) {
      bits -= to
      out.push(held >>> bits)
      held &= (1 << bits) - 1
    }
  }
  if (fill && bits > 0) out.push(held << (to - bits))
  return out
}

/** Words of `bytes`; the last one is filled with zeros. */
export const wordsOfBytes = (bytes: Uint8Array): number[] =>
  regroup(bytes, BYTE_BITS, WORD_BITS, true)

/** Bytes of `words`: `whole` ones alone, or with the rest of the bits filled up to one more. */
export const bytesOfWords = (words: readonly number[], rest: 'whole' | 'fill'): Uint8Array =>
  Uint8Array.from(regroup(words, WORD_BITS, BYTE_BITS, rest === 'fill'))

/** Words of a number, the highest first; at least `least` of them. */
export function wordsOfNumber(value: number | bigint, least = 1): number[] {
  const words: number[] = []
  for (let rest = BigInt(value); rest > 0n; rest >>= BigInt(WORD_BITS)) {
    words.unshift(Number(rest & 31n))
  }
  while (words.length < least) words.unshift(0)
  return words
}

/** The number that `words` say; above 2^53 only about right, and `Infinity` in the end. */
export const numberOfWords = (words: readonly number[]): number =>
  words.reduce((total, word) => total * 32 + word, 0)
