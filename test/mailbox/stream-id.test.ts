import assert from 'node:assert/strict'
import test from 'node:test'

import { toHex } from '../../src/base/bytes.ts'
import { browserCrypto } from '../../mailbox/crypto/browser.ts'
import { nodeCrypto } from '../../mailbox/crypto/node.ts'
import { pairedStreamIds, pairingStreamIds } from '../../mailbox/stream-id.ts'
import type { StreamIds } from '../../mailbox/stream-id.ts'
import { bytes, knownAnswers } from './known-answers.ts'

interface Recorded {
  sid_server_to_client: string
  sid_client_to_server: string
}

interface Pairing {
  cases: (Recorded & { entropy: string })[]
}

interface Paired {
  cases: (Recorded & {
    client_static_priv: string
    client_static_pub: string
    server_static_priv: string
    server_static_pub: string
    ecdh: string
  })[]
}

function check(ids: StreamIds, recorded: Recorded): void {
  assert.equal(toHex(ids.serverToClient), recorded.sid_server_to_client)
  assert.equal(toHex(ids.clientToServer), recorded.sid_client_to_server)
}

for (const crypto of [nodeCrypto, browserCrypto]) {
  const name = crypto === nodeCrypto ? 'node' : 'browser'

  for (const entry of knownAnswers<Pairing>('sid_pairing.json').cases) {
    test(`${name}: before pairing, ${entry.entropy}`, () => {
      check(pairingStreamIds(bytes(entry.entropy), crypto), entry)
    })
  }

  for (const entry of knownAnswers<Paired>('sid_paired.json').cases) {
    test(`${name}: after pairing, ${entry.client_static_pub.slice(0, 8)}`, () => {
      const client = bytes(entry.client_static_priv)
      const server = bytes(entry.server_static_priv)
      assert.equal(toHex(crypto.publicKey(client)), entry.client_static_pub)
      assert.equal(toHex(crypto.ecdh(client, bytes(entry.server_static_pub))), entry.ecdh)
      check(pairedStreamIds(client, bytes(entry.server_static_pub), crypto), entry)
      check(pairedStreamIds(server, bytes(entry.client_static_pub), crypto), entry)
    })
  }
}

test('only canonical entropy names a stream', () => {
  assert.throws(() => pairingStreamIds(bytes('00'.repeat(13) + '02'), nodeCrypto), TypeError)
})
