import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { parseGoTime } from '../../../src/store/aperture/go-time.ts'

test('times are read in every form that the driver writes or reads', () => {
  const at = Date.UTC(2025, 0, 2, 3, 4, 5)
  const forms: readonly (readonly [text: string, ms: number])[] = [
    ['2025-01-02 03:04:05 +0000 UTC', 0],
    ['2025-01-02 03:04:05.999999999 +0000 UTC', 999],
    ['2025-01-02 03:04:05.5 +0000 UTC', 500],
    ['2025-01-02 05:04:05.01 +0200 CEST', 10],
    ['2025-01-01 23:04:05 -0400 -04', 0],
    ['2025-01-02 03:04:05.123456 +0000 UTC m=+0.012345', 123],
    ['2025-01-02T03:04:05Z', 0],
    ['2025-01-02 03:04:05+00:00', 0],
    ['2025-01-02 03:04:05', 0],
  ]
  for (const [text, ms] of forms) assert.equal(parseGoTime(text), at + ms, text)
})

test('anything else is no time', () => {
  for (const text of ['', 'yesterday', '2025-13-01 00:00:00 +0000 UTC', 7n, null, undefined]) {
    assert.equal(parseGoTime(text), undefined, String(text))
  }
  fc.assert(fc.property(fc.string(), (text) => void parseGoTime(text)))
})
