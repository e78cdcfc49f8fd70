/** Whatever a file or a program gives as configuration: a value or a coded error, never anything else. */
import assert from 'node:assert/strict'
import test from 'node:test'

import fc from '../fast-check.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { readDocument } from '../../src/config/document.ts'
import { parseDuration } from '../../src/config/duration.ts'
import { KEYS } from '../../src/config/keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { parseSize } from '../../src/config/size.ts'

const RUNS = { numRuns: 2_000 }
const surroundings = { home: '/home/nobody', env: {} }

function coded(run: () => unknown): boolean {
  try {
    run()
    return false
  } catch (error) {
    assert.ok(
      isPinholeError(error, 'ERR_CONFIG_SYNTAX', 'ERR_CONFIG_KEY', 'ERR_CONFIG_VALUE'),
      String(error),
    )
    return true
  }
}

const leaf = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined, '30s', '-1s', '1 MiB', ':443', '~/x', '${NONE}', '[', '{}'),
)
const anything = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.object({ maxDepth: 2 }))

test('text in place of a YAML file', () => {
  const line = fc
    .tuple(fc.constantFrom(...KEYS.map(({ path }) => path.join('.')), '- ', '  x'), leaf)
    .map(([key, value]) => `${key}: ${String(value)}\n`)
  const text = fc.oneof(
    fc.string({ maxLength: 80, unit: 'binary' }),
    fc.array(line, { maxLength: 6 }).map((lines) => lines.join('')),
  )
  let refused = 0
  fc.assert(
    fc.property(text, (source) => {
      if (coded(() => readDocument(source, 'x.yaml'))) refused++
    }),
    RUNS,
  )
  assert.ok(refused > 0)
})

test('any value at any key', () => {
  let refused = 0
  const property = fc.property(fc.constantFrom(...KEYS), anything, ({ path }, value) => {
    const values = path.reduceRight<unknown>((under, name) => ({ [name]: under }), value)
    const given = values as Readonly<Record<string, unknown>>
    if (coded(() => loadConfig({ configfile: false, values: given, surroundings }))) refused++
  })
  fc.assert(property, RUNS)
  assert.ok(refused > 1000)
})

test('durations and sizes are finite numbers or nothing', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^-?\d{1,30}(\.\d{1,9})?[a-zµ]{0,3}$/))
  fc.assert(
    fc.property(text, (given) => {
      for (const value of [parseDuration(given), parseSize(given)]) {
        assert.ok(value === undefined || Number.isFinite(value), `${given}: ${value}`)
      }
    }),
    RUNS,
  )
})
