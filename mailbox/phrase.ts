/**
 * The pairing phrase: ten words that stand for 110 bits, most significant bit first (LNC §1).
 *
 * Go's client takes whatever it is given; here a phrase is ten known words or an error that names
 * the wrong one. Every spelling of the same phrase gives the same entropy.
 */
import { PinholeError } from '../src/base/errors.ts'
import { WORDS } from './wordlist.ts'

/** Words of a phrase. */
export const PHRASE_WORDS = 10

/** Bytes of entropy, of which the last two bits are always zero. */
export const ENTROPY_BYTES = 14

const BITS_PER_WORD = 11
const UNUSED_BITS = 2
const UNUSED_MASK = 2 ** UNUSED_BITS - 1

/** No more of a wrong word is looked at or repeated in an error; the longest of the list has eight letters. */
const MAX_WORD_LENGTH = 16

/** Nearest words that an error names at most. */
const MAX_SUGGESTIONS = 3

/** Letters that tell each word of the list from all others. */
const UNIQUE_PREFIX = 4

const indexes = new Map(WORDS.map((word, index) => [word, index]))

/** A new phrase out of `randomBytes`. */
export function generatePhrase(randomBytes: (length: number) => Uint8Array): string {
  return formatPhrase(randomBytes(ENTROPY_BYTES))
}

/**
 * Entropy of a phrase, canonical. Any white space or commas may stand between the words, in either
 * case, and numbers 1 to 10 in order before them.
 *
 * Throws `ERR_PHRASE_WORD_COUNT` or `ERR_PHRASE_UNKNOWN_WORD`, whose message holds no other word of
 * the phrase.
 */
export function parsePhrase(text: string): Uint8Array {
  if (typeof text !== 'string') throw new TypeError('a pairing phrase is one text of ten words')
  const words = text
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
  return pack(wordIndexes(withoutNumbers(words)))
}

/** Words of 14 bytes of entropy, blanks between; the last two bits do not count. */
export function formatPhrase(entropy: Uint8Array): string {
  if (entropy.length !== ENTROPY_BYTES) throw new TypeError(`entropy is ${ENTROPY_BYTES} bytes`)
  const bits = toBigInt(entropy) >> BigInt(UNUSED_BITS)
  return Array.from({ length: PHRASE_WORDS }, (_, at) => {
    const shift = BigInt(BITS_PER_WORD * (PHRASE_WORDS - 1 - at))
    return WORDS[Number(BigInt.asUintN(BITS_PER_WORD, bits >> shift))]
  }).join(' ')
}

/** Whether `entropy` is what `parsePhrase` returns: 14 bytes, the last two bits zero. */
export function isCanonicalEntropy(entropy: Uint8Array): boolean {
  return entropy.length === ENTROPY_BYTES && ((entropy[ENTROPY_BYTES - 1] ?? 0) & UNUSED_MASK) === 0
}

/** `words` without the numbers of a list such as "1. word 2. word"; untouched when those are out of order. */
function withoutNumbers(words: readonly string[]): readonly string[] {
  const kept: string[] = []
  let number = 0
  for (const word of words) {
    const [prefix = '', digits] = /^(\d{1,2})[.):]?/.exec(word) ?? []
    if (digits !== undefined && Number(digits) !== ++number) return words
    if (digits !== undefined && number !== kept.length + 1) return words
    if (word !== prefix) kept.push(word.slice(prefix.length))
  }
  return kept
}

function wordIndexes(words: readonly string[]): readonly number[] {
  if (words.length !== PHRASE_WORDS) {
    throw new PinholeError(
      'ERR_PHRASE_WORD_COUNT',
      `a pairing phrase has ${PHRASE_WORDS} words, this one has ${words.length}`,
    )
  }
  return words.map((word, at) => indexes.get(word) ?? unknownWord(word, at + 1))
}

function unknownWord(word: string, position: number): never {
  const start = [...word].slice(0, MAX_WORD_LENGTH)
  const shown = start.join('') + (start.length < [...word].length ? '…' : '')
  const nearest = nearestWords(start.join('')).map((candidate) => `"${candidate}"`)
  throw new PinholeError(
    'ERR_PHRASE_UNKNOWN_WORD',
    `word ${position}, "${shown}", is not in the word list; the nearest: ${nearest.join(', ')}`,
  )
}

/** Words of the list that a mistyped one may have been, the likeliest first; never none. */
export function nearestWords(word: string): readonly string[] {
  const prefix = word.slice(0, UNIQUE_PREFIX)
  const meant = WORDS.filter((known) => known.startsWith(prefix) && prefix.length === UNIQUE_PREFIX)
  const distances = WORDS.map((known) => editDistance(word, known))
  const least = Math.min(...distances)
  const near = WORDS.filter((_, index) => distances[index] === least)
  return [...new Set([...meant, ...near])].slice(0, MAX_SUGGESTIONS)
}

/** Letters to insert, delete, replace or swap with their neighbour to turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? at(before, j - 2) + 1 : Infinity
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced, swap))
    }
    before = last
    last = row
  }
  return at(last, b.length)
}

const at = (row: readonly number[], j: number): number => row[j] ?? Infinity

function pack(indexesOfWords: readonly number[]): Uint8Array {
  let bits = 0n
  for (const index of indexesOfWords) bits = (bits << BigInt(BITS_PER_WORD)) | BigInt(index)
  bits <<= BigInt(UNUSED_BITS)
  const entropy = new Uint8Array(ENTROPY_BYTES)
  for (let i = ENTROPY_BYTES - 1; i >= 0; i--) {
    entropy[i] = Number(bits & 255n)
    bits >>= 8n
  }
  return entropy
}

function toBigInt(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}
