import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import test from 'node:test'

import fc from '../fast-check.ts'
import { toHex } from '../../src/base/bytes.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import {
  formatPhrase,
  generatePhrase,
  isCanonicalEntropy,
  nearestWords,
  parsePhrase,
} from '../../mailbox/phrase.ts'
import { WORDS } from '../../mailbox/wordlist.ts'
import { bytes, knownAnswers } from './known-answers.ts'

interface Mnemonic {
  constants: { wordlist_sha256_lf_terminated: string }
  cases: {
    entropy: {
      name: string
      raw_entropy: string
      words: string[]
      word_indexes: number[]
      canonical_entropy: string
    }[]
    go_lenient_parsing: { name: string; phrase: string; entropy: string }[]
  }
}

const { constants, cases } = knownAnswers<Mnemonic>('mnemonic.json')
const PHRASE = 'patient just bird enhance modify creek nuclear melt lunar project'
const ENTROPY = 'a10f2c5a2548ea6665d455851580'

function failure(text: string): { code: string; message: string } {
  try {
    parsePhrase(text)
  } catch (reason) {
    if (isPinholeError(reason)) return reason
    throw reason
  }
  throw new Error('the phrase was accepted')
}

test('the word list is the published one', () => {
  const file = WORDS.map((word) => `${word}\n`).join('')
  assert.equal(
    createHash('sha256').update(file).digest('hex'),
    constants.wordlist_sha256_lf_terminated,
  )
})

for (const { name, ...entry } of cases.entropy) {
  test(`words and entropy: ${name}`, () => {
    assert.equal(formatPhrase(bytes(entry.raw_entropy)), entry.words.join(' '))
    assert.deepEqual(
      entry.words.map((word) => WORDS.indexOf(word)),
      entry.word_indexes,
    )
    const entropy = parsePhrase(entry.words.join(' '))
    assert.equal(toHex(entropy), entry.canonical_entropy)
    assert.ok(isCanonicalEntropy(entropy))
  })
}

// Go takes any text for a phrase. Ours agrees where Go does what was meant, and else says what is wrong.
const STRICTER: Record<string, string> = {
  'nine words': 'ERR_PHRASE_WORD_COUNT',
  'eleventh word ignored': 'ERR_PHRASE_WORD_COUNT',
  'empty phrase': 'ERR_PHRASE_WORD_COUNT',
}
const MEANT = new Set(['normal', 'double space shifts', 'upper case unknown'])

for (const { name, phrase, entropy } of cases.go_lenient_parsing) {
  test(`what Go lets pass: ${name}`, () => {
    if (MEANT.has(name)) assert.equal(toHex(parsePhrase(phrase)), ENTROPY)
    else assert.equal(failure(phrase).code, STRICTER[name])
    if (name === 'normal') assert.equal(entropy, ENTROPY)
  })
}

test('any spacing, case, commas and numbering give the same entropy', () => {
  const words = PHRASE.split(' ')
  const spellings = [
    `  ${PHRASE.toUpperCase()}\r\n`,
    words.join('\n'),
    words.join('\u00a0\t '),
    words.join(', '),
    words.map((word, i) => `${i + 1}. ${word}`).join('\n'),
    words.map((word, i) => `${i + 1}.${word}`).join(' '),
    words.map((word, i) => `${i + 1}) ${word}`).join(' '),
    words.map((word, i) => `${i + 1} ${word}`).join('; '),
  ]
  for (const spelling of spellings) assert.equal(toHex(parsePhrase(spelling)), ENTROPY, spelling)
})

test('numbers out of order are not passed over: the words may be out of order too', () => {
  const numbered = (order: number[]) =>
    PHRASE.split(' ')
      .map((word, i) => `${order[i]}. ${word}`)
      .join(' ')
  assert.equal(failure(numbered([1, 6, 2, 7, 3, 8, 4, 9, 5, 10])).code, 'ERR_PHRASE_WORD_COUNT')
  assert.equal(failure(`1 2 ${PHRASE}`).code, 'ERR_PHRASE_WORD_COUNT')
})

test('a wrong count is named and no word is', () => {
  const error = failure('patient just bird enhance modify creek nuclear melt lunar')
  assert.match(error.message, /10 words, this one has 9/)
  for (const word of PHRASE.split(' ')) assert.ok(!error.message.includes(word))
})

test('an unknown word is named with its position and the nearest ones, and no other word is', () => {
  const error = failure(PHRASE.replace('enhance', 'enhanse'))
  assert.equal(error.code, 'ERR_PHRASE_UNKNOWN_WORD')
  assert.match(error.message, /word 4, "enhanse", .*nearest: "enhance"$/)
  for (const word of PHRASE.split(' ').filter((known) => known !== 'enhance')) {
    assert.ok(!error.message.includes(word))
  }
})

test('a wrong word of any length leaves a short message', () => {
  const error = failure(PHRASE.replace('melt', 'melt'.repeat(100_000)))
  assert.match(error.message, /word 8, "meltmeltmeltmelt…"/)
  assert.ok(error.message.length < 200)
})

test('nearest words: the unique prefix first, else fewest letters wrong', () => {
  assert.equal(nearestWords('aband')[0], 'abandon')
  assert.deepEqual(nearestWords('zoos'), ['zoo'])
  assert.deepEqual(nearestWords('brid'), ['bridge', 'bid', 'bird'])
  assert.ok(nearestWords('lnuar').includes('lunar'))
  assert.equal(nearestWords('q9').length, 3)
})

test('a generated phrase is ten words that parse to canonical entropy', () => {
  const phrase = generatePhrase((length) => randomBytes(length))
  assert.equal(phrase.split(' ').length, 10)
  assert.equal(formatPhrase(parsePhrase(phrase)), phrase)
  assert.throws(() => formatPhrase(new Uint8Array(13)), TypeError)
})

test('every entropy survives the way through words', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 14, maxLength: 14 }), (entropy) => {
      entropy[13] = (entropy[13] ?? 0) & 0xfc
      assert.deepEqual(parsePhrase(formatPhrase(entropy)), entropy)
    }),
    { numRuns: 10_000 },
  )
})

function check(text: string): void {
  try {
    assert.equal(parsePhrase(text).length, 14)
  } catch (reason) {
    assert.ok(isPinholeError(reason, 'ERR_PHRASE_WORD_COUNT', 'ERR_PHRASE_UNKNOWN_WORD'))
  }
}

test('any text is a phrase or a coded error', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), check), { numRuns: 10_000 })
})

test('any ten words are a phrase or a coded error', () => {
  const word = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 8 }))
  const words = fc.array(word, { minLength: 9, maxLength: 11 }).map((list) => list.join(' '))
  fc.assert(fc.property(words, check), { numRuns: 500 })
})
