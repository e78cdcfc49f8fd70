import assert from 'node:assert/strict'
import type http2 from 'node:http2'
import test from 'node:test'
import { grpcPath, REST_SEND_PATH } from '../../mailbox/hashmail/names.ts'
import { streamLimits } from '../../src/listener/streams.ts'
import { get2, listen, open2, OPTIONS } from './serving.ts'

const USE = { configured: 0, sells: true, relays: true }

test('a hub that only sells gives 250 streams, one that only relays 10,000, a configured number holds for both', () => {
  assert.deepEqual(streamLimits({ ...USE, relays: false }), { streamsPerConnection: 250 })
  assert.deepEqual(streamLimits({ ...USE, sells: false }), { streamsPerConnection: 10_000 })
  assert.deepEqual(streamLimits({ ...USE, configured: 7 }), { streamsPerConnection: 7 })
})

test('a connection to a hub that does both gets more streams with its first request to the relay', async (t) => {
  const { url } = await listen(t, { limits: { ...OPTIONS.limits, ...streamLimits(USE) } })
  for (const path of [grpcPath('SendStream'), REST_SEND_PATH]) {
    const session = open2(t, url)
    await get2(session)
    assert.equal(session.remoteSettings.maxConcurrentStreams, 250)
    const raised = nextSettings(session)
    assert.equal((await get2(session, path)).status, 404)
    assert.equal((await raised).maxConcurrentStreams, 10_000)
  }
})

test('requests to services leave the bound of their connection as it is', async (t) => {
  const { url } = await listen(t, { limits: { ...OPTIONS.limits, ...streamLimits(USE) } })
  const session = open2(t, url)
  await get2(session)
  session.on('remoteSettings', () => assert.fail('the bound was changed'))
  for (const path of ['/', '/v1/lightning-node-connect', '/x/hashmailrpc.HashMail/SendStream']) {
    await get2(session, path)
  }
  assert.equal(session.remoteSettings.maxConcurrentStreams, 250)
})

const nextSettings = (session: http2.ClientHttp2Session): Promise<http2.Settings> =>
  new Promise((resolve) => session.once('remoteSettings', resolve))
