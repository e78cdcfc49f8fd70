import assert from 'node:assert/strict'
import test from 'node:test'
import { PinholeError } from '../../src/base/errors.ts'
import { redact, SECRET_FIELDS, silentLog } from '../../src/base/log.ts'

test('a secret is taken out at any depth, whatever the spelling of its name', () => {
  const given = {
    box: 'a1',
    phrase: 'ten words',
    headers: { Authorization: 'L402 x:y', 'Grpc-Metadata-Macaroon': '0201', accept: '*/*' },
    sessions: [{ pairing_phrase: 'x', local_key: 'y', name: 'z' }],
  }
  assert.deepEqual(redact(given), {
    box: 'a1',
    phrase: '[redacted]',
    headers: {
      Authorization: '[redacted]',
      'Grpc-Metadata-Macaroon': '[redacted]',
      accept: '*/*',
    },
    sessions: [{ pairing_phrase: '[redacted]', local_key: '[redacted]', name: 'z' }],
  })
  assert.equal(given.phrase, 'ten words', 'the argument was changed')
})

test('every secret name is one that redact knows as written in the set', () => {
  for (const name of SECRET_FIELDS) {
    assert.deepEqual(redact({ [name]: 'x' }), { [name]: '[redacted]' })
    assert.deepEqual(redact({ [name.toUpperCase()]: 'x' }), { [name.toUpperCase()]: '[redacted]' })
  }
})

test('bytes are never written, only counted', () => {
  assert.deepEqual(redact({ id: new Uint8Array(64), raw: Buffer.from('abc') }), {
    id: '[64 bytes]',
    raw: '[3 bytes]',
  })
})

test('an error is shown with code and cause, and its own fields are not', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', preimage: 'ff' })
  const error = new PinholeError('ERR_RELAY_UNREACHABLE', 'no relay at a:1', { cause })
  assert.deepEqual(redact({ error }), {
    error: {
      name: 'PinholeError',
      message: 'no relay at a:1',
      code: 'ERR_RELAY_UNREACHABLE',
      cause: { name: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    },
  })
})

test('something that contains itself ends', () => {
  const ring: Record<string, unknown> = {}
  ring['ring'] = ring
  assert.match(JSON.stringify(redact(ring)), /\[deep\]/)
})

test('scalars pass', () => {
  for (const value of ['a', 1, true, null, undefined]) assert.equal(redact(value), value)
})

test('a silent log takes everything and gives nothing', () => {
  silentLog.child({ part: 'x' }).error({ error: new Error('x') }, 'nobody hears this')
})
