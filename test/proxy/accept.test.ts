import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { preferredForm } from '../../proxy/accept.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

const CASES: readonly [accept: string | undefined, form: string][] = [
  [undefined, 'json'],
  ['', 'json'],
  ['*/*', 'json'],
  ['text/*', 'json'],
  [BROWSER, 'html'],
  ['application/json', 'json'],
  ['application/problem+json', 'json'],
  ['application/json, text/html', 'json'],
  ['text/html, application/json', 'html'],
  ['text/html;q=0.5, application/json', 'json'],
  ['text/html;q=0', 'json'],
  ['TEXT/HTML ; charset=utf-8 ; Q=0.7', 'html'],
  ['text/plain', 'text'],
  ['text/plain;q=0.9, */*', 'text'],
  ['text/event-stream', 'json'],
]

for (const [accept, form] of CASES) {
  test(`accept ${JSON.stringify(accept)} is answered in ${form}`, () => {
    assert.equal(preferredForm(accept), form)
  })
}

test('any text names one of the forms', () => {
  fc.assert(
    fc.property(fc.string(), (accept) => {
      assert.ok(['json', 'html', 'text'].includes(preferredForm(accept)))
    }),
    { numRuns: 2_000 },
  )
})
