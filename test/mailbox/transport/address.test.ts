import assert from 'node:assert/strict'
import test from 'node:test'

import fc from '../../fast-check.ts'
import { authority, parseMailbox } from '../../../mailbox/transport/address.ts'
import { isPinholeError } from '../../../src/base/errors.ts'

test('the forms that users write', () => {
  // prettier-ignore
  const table = [
    ['mailbox.example.com:443', { host: 'mailbox.example.com', port: 443, tls: true }],
    [' mailbox.example.com ', { host: 'mailbox.example.com', port: 443, tls: true }],
    ['https://mailbox.example.com:8443/', { host: 'mailbox.example.com', port: 8443, tls: true }],
    ['http://localhost:8081', { host: 'localhost', port: 8081, tls: false }],
    ['http://localhost', { host: 'localhost', port: 80, tls: false }],
    ['[::1]:11110', { host: '::1', port: 11110, tls: true }],
    ['127.0.0.1:11110', { host: '127.0.0.1', port: 11110, tls: true }],
  ] as const
  for (const [text, address] of table) assert.deepEqual(parseMailbox(text), address, text)
  assert.equal(authority(parseMailbox('[::1]:11110')), '[::1]:11110')
})

test('what is no address is a coded error', () => {
  for (const text of [
    '',
    ':443',
    'ftp://x:1',
    'x:99999',
    'x:1/path',
    'a@x:1',
    'x:1?q',
    'x y:1',
    'wss://x',
  ]) {
    assert.throws(() => parseMailbox(text), { code: 'ERR_RELAY_ADDRESS' }, text)
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseMailbox(text)
      } catch (reason) {
        assert.ok(isPinholeError(reason, 'ERR_RELAY_ADDRESS'))
      }
    }),
    { numRuns: 10_000 },
  )
})
