import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import test from 'node:test'
import { parseTrusted } from '../proxy/client-address.ts'
import { loadConfig } from '../src/config/load.ts'
import { relayOptions } from '../src/relay-options.ts'

test('the relay counts the clients of trusted proxies, and believes nobody else', () => {
  const config = loadConfig({ configfile: false, values: { hashmail: { enabled: true } } })
  const { addressOf } = relayOptions(config, () => parseTrusted(['127.0.0.1']))
  const from = (remoteAddress: string, forwarded?: string): string | undefined =>
    addressOf?.({
      socket: { remoteAddress } as Socket,
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    })
  assert.equal(from('127.0.0.1', '192.0.2.7'), '192.0.2.7')
  assert.equal(from('::ffff:127.0.0.1', '198.51.100.1, 192.0.2.7'), '192.0.2.7')
  assert.equal(from('127.0.0.1'), '127.0.0.1')
  assert.equal(from('203.0.113.5', '192.0.2.7'), '203.0.113.5')
})
