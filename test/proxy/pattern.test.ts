import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RE2JS } from 're2js'
import fc from '../fast-check.ts'
import { compilePattern } from '../../proxy/pattern.ts'

const matches = (source: string, text: string) => compilePattern(source).test(text)

describe('patterns', () => {
  const CASES: readonly [source: string, text: string, expected: boolean][] = [
    ['', 'anything', true],
    ['.*', '', true],
    ['^/paid.*$', '/paid', true],
    ['^/paid.*$', '/paid/x', true],
    ['^/paid.*$', '/x/paid', false],
    ['^/paid.*$', '/paid\n/x', false],
    ['^/paid.+$', '/paid', false],
    ['paid', '/x/paid/y', true],
    ['^shadow\\.test$', 'shadow.test', true],
    ['^shadow\\.test$', 'shadowxtest', false],
    ['^shadow\\.test$', 'shadow.test:8081', false],
    ['^/looprpc.SwapServer/.*$', '/looprpc.SwapServer/Quote', true],
    ['^/a.c$', '/a\u{1f600}c', true],
    ['^/a.c$', '/a\u2028c', true],
    ['^/a.c$', '/a\rc', true],
    ['^/a.c$', '/a\nc', false],
    // What JavaScript has not, or has otherwise.
    ['(?i)^/PAID', '/paid', true],
    ['\\A/x\\z', '/x', true],
    ['[[:alpha:]]+$', '/abc', true],
    ['^(?P<name>/x)', '/xy', true],
    ['(?s)^/a.b$', '/a\nb', true],
    ['(?m)^b$', 'a\nb', true],
    ['^\\pL+$', 'é', true],
    ['^\\Q.*\\E$', '.*', true],
    ['^/x$', '/x\n', false],
    ['^/a\\-b\\_c\\~d\\/e$', '/a-b_c~d/e', true],
  ]
  for (const [source, text, expected] of CASES) {
    test(`${JSON.stringify(source)} on ${JSON.stringify(text)}`, () => {
      assert.equal(matches(source, text), expected)
    })
  }

  test('what Go does not know is refused', () => {
    for (const source of ['(', '(?=x)', '(?<!x)y', '(a)\\1', 'a{1001}', '[', '*', 'a**', '\\8']) {
      assert.throws(() => compilePattern(source), `${source} was taken`)
    }
  })

  const fragment = fc.constantFrom(
    ...[
      '^',
      '$',
      '.',
      '.*',
      '.+',
      '\\.',
      '\\-',
      '\\/',
      '\\\\',
      '\\$',
      '/',
      'a',
      'b',
      '-',
      '%',
      ' ',
    ],
    ...['*', '?', '{2}', '|', '(', ')', '[', ']', '}', 'é', '&', '\\~', '\\d', '\\b'],
  )
  const piece = fc.constantFrom(
    '/',
    'a',
    'b',
    '.',
    '\n',
    '\r',
    '\u2028',
    '$',
    '\\',
    'é',
    '😀',
    '-',
    '%',
  )

  test('a pattern matches as re2js says, whichever engine runs it', () => {
    let compiled = 0
    const property = fc.property(
      fc.array(fragment, { maxLength: 6 }),
      fc.array(fc.array(piece, { maxLength: 8 }), { minLength: 8, maxLength: 8 }),
      (fragments, texts) => {
        const source = fragments.join('')
        let re2: RE2JS
        try {
          re2 = RE2JS.compile(source)
        } catch {
          assert.throws(() => compilePattern(source))
          return
        }
        compiled++
        const pattern = compilePattern(source)
        for (const pieces of texts) {
          const text = pieces.join('')
          assert.equal(pattern.test(text), re2.test(text), `${source} on ${JSON.stringify(text)}`)
        }
      },
    )
    fc.assert(property, { numRuns: 10_000 })
    assert.ok(compiled > 1_000, `only ${compiled} patterns were valid`)
  })

  test('a hostile text takes time in proportion to its length', () => {
    const text = `/${'a'.repeat(32_768)}`
    for (const source of [
      '(a+)+$|b',
      '^/(a|aa)+b',
      'a.*a.*a.*b$',
      '.*b$',
      '^/.*b$',
      '(.*)*x$',
      'a.+$',
    ]) {
      const pattern = compilePattern(source)
      const start = process.hrtime.bigint()
      for (let i = 0; i < 10; i++) pattern.test(text)
      const ms = Number(process.hrtime.bigint() - start) / 1e6
      assert.ok(ms < 1_000, `${source}: ${ms} ms for ten texts of 32 KiB`)
    }
  })
})
