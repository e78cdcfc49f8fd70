import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import fc from '../fast-check.ts'
import { RememberedTokens, type Token } from '../../proxy/remembered.ts'
import { MemoryTokens } from './shop.ts'

const bytes = (length: number) => Uint8Array.from(randomBytes(length))
const token = (change: Partial<Token> = {}): Token => ({
  identifierHash: bytes(32),
  tokenId: 'aa',
  paymentHash: bytes(32),
  priceMsat: undefined,
  expiresAtMs: undefined,
  settled: false,
  ...change,
})

test('a token is remembered until it expires', () => {
  const remembered = new RememberedTokens(10, new MemoryTokens())
  remembered.set('k', token({ expiresAtMs: 1_000 }))
  assert.ok(remembered.get('k', 999))
  assert.equal(remembered.get('k', 1_000), undefined)
  assert.equal(remembered.size, 0)
  assert.equal(remembered.get('k', 999), undefined)
})

test('a revocation forgets a token in all its lines, and no other', () => {
  const tokens = new MemoryTokens()
  const remembered = new RememberedTokens(10, tokens)
  const sold = token()
  remembered.set('a', sold)
  remembered.set('b', { ...sold })
  remembered.set('c', token())
  tokens.revoke(Uint8Array.from(sold.identifierHash))
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => remembered.get(key, 0) !== undefined),
    [false, false, true],
  )
})

test('it holds no more than it may, and what was used last', () => {
  const tokens = new MemoryTokens()
  const remembered = new RememberedTokens(2, tokens)
  const sold = token()
  remembered.set('a', sold)
  remembered.set('b', token())
  remembered.get('a', 0)
  remembered.set('c', token())
  assert.equal(remembered.size, 2)
  assert.equal(remembered.get('b', 0), undefined)
  tokens.revoke(sold.identifierHash)
  assert.equal(remembered.size, 1)
  remembered.close()
  assert.equal(remembered.size, 0)
})

test('two lines or services have the same key only when they are the same', () => {
  const name = fc.constantFrom('authorization', 'macaroon')
  const text = fc.string({ unit: fc.constantFrom('a', ':', '1', '2'), maxLength: 4 })
  const shown = fc.tuple(fc.record({ name, value: text }), text)
  fc.assert(
    fc.property(shown, shown, ([line, service], [other, ofOther]) => {
      const same = line.name === other.name && line.value === other.value && service === ofOther
      assert.equal(
        RememberedTokens.key(line, service) === RememberedTokens.key(other, ofOther),
        same,
      )
      assert.equal(RememberedTokens.key(line, service), RememberedTokens.key({ ...line }, service))
    }),
    { numRuns: 2_000 },
  )
})
