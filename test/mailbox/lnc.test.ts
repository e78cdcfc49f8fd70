import assert from 'node:assert/strict'
import test from 'node:test'
import { createRegistry } from '@bufbuild/protobuf'
import { file_google_protobuf_empty } from '@bufbuild/protobuf/wkt'
import { fileDesc } from '@bufbuild/protobuf/codegenv2'
import { toHex } from '../../src/base/bytes.ts'
import { GrpcCode } from '../../src/base/errors.ts'
import { ADMIN, READ_ONLY } from '../../src/sandbox/authorization.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { listen } from '../../mailbox/listen/listen.ts'
import { LNC } from '../../mailbox/lnc.ts'
import type { LncConfig } from '../../mailbox/lnc-web/client.ts'
import { MemoryCredentials } from '../../mailbox/lnc-web/credentials.ts'
import { setUpEnds } from './ends.ts'

/** `service Own { rpc Do(google.protobuf.Empty) returns (google.protobuf.Empty); }` of package own. */
const OWN_SERVICE =
  'Cglvd24ucHJvdG8SA293bhobZ29vZ2xlL3Byb3RvYnVmL2VtcHR5LnByb3RvMjsKA093bhI0CgJEbxIWLmdvb2dsZS5wcm90b2J1Zi5FbXB0eRoWLmdvb2dsZS5wcm90b2J1Zi5FbXB0eWIGcHJvdG8z'

type Teardown = Parameters<typeof setUpEnds>[0]

/** A simulated node behind a relay, and how to make an `LNC` that knows its phrase. */
async function pairable(t: Teardown, permissions = ADMIN) {
  const ends = await setUpEnds(t)
  const simulated = createSimulatedNode({ alias: 'alice' })
  const macaroon = simulated.macaroons.bake(permissions)
  const { server } = simulated
  const listening = ends.listening({ server, authData: `Macaroon: ${macaroon}` })
  const listener = ends.use(await listen(listening))
  const { mailbox, ca } = ends.relay
  const lnc = (config: LncConfig = {}) => {
    const made = new LNC({ serverHost: mailbox, ca, ...config })
    ends.use({ close: () => made.disconnect() })
    return made
  }
  t.after(() => Promise.resolve(server.forceShutdown()))
  return { simulated, listener, lnc, phrase: listener.phrase ?? assert.fail('no phrase') }
}

test('a page written for lnc-web pairs, calls and subscribes', async (t) => {
  const { lnc: make, phrase, simulated } = await pairable(t)
  const lnc = make({ pairingPhrase: phrase })
  assert.deepEqual([lnc.isReady, lnc.isConnected, lnc.isPaired], [true, false, true])
  assert.equal(lnc.status, 'Not Connected')
  await lnc.preload()
  await lnc.run()
  await lnc.connect()
  await lnc.connect()
  assert.deepEqual([lnc.isConnected, lnc.status], [true, 'Connected'])
  assert.match(lnc.credentials.localKey, /^[0-9a-f]{64}$/)
  assert.match(lnc.credentials.remoteKey, /^0[23][0-9a-f]{64}$/)

  const info = await lnc.lnd.lightning.getInfo()
  assert.equal(info.alias, 'alice')
  assert.equal(info.numPeers, 0)
  assert.equal(info.chains[0]?.network, 'regtest')

  type Seen = { addIndex: string; state: string; memo: string }
  const seen: Seen[] = []
  let wake = () => {}
  const settled = new Promise<void>((resolve) => (wake = resolve))
  lnc.lnd.lightning.subscribeInvoices({ addIndex: '0' }, (invoice) => {
    seen.push(invoice)
    if (seen.length === 2) wake()
  })
  await lnc.lnd.lightning.getInfo()
  const preimage = new Uint8Array(32).fill(5)
  const added = await lnc.lnd.lightning.addInvoice({
    memo: 'tea',
    valueMsat: '21000',
    rPreimage: preimage,
  })
  assert.equal(added.addIndex, '1')
  const hash = Buffer.from(String(added.rHash), 'base64')
  simulated.invoices.settle(toHex(hash), 21_000n)
  await settled
  assert.deepEqual(
    seen.map(({ addIndex, state, memo }) => [addIndex, state, memo]),
    [
      ['1', 'OPEN', 'tea'],
      ['1', 'SETTLED', 'tea'],
    ],
  )
  const found = await lnc.lnd.lightning.lookupInvoice({ rHash: hash })
  assert.equal(found.state, 'SETTLED')
  assert.equal(Buffer.from(String(found.rPreimage), 'base64').length, 32)
  await lnc.disconnect()
  assert.equal(lnc.isConnected, false)
  await assert.rejects(lnc.lnd.lightning.getInfo(), { code: 'ERR_SESSION_CLOSED' })
})

test('it comes back with the credentials of another store, by keys alone', async (t) => {
  const { lnc: make, phrase } = await pairable(t)
  const first = make({ pairingPhrase: phrase })
  await first.connect()
  const { localKey, remoteKey } = first.credentials
  await first.disconnect()

  const byKeys = make({ localKey, remoteKey })
  await byKeys.connect()
  assert.equal((await byKeys.lnd.lightning.getInfo()).alias, 'alice')
  await byKeys.disconnect()

  const credentialStore = new MemoryCredentials()
  Object.assign(credentialStore, { serverHost: first.credentials.serverHost, localKey, remoteKey })
  const stored = make({ credentialStore, serverHost: 'unused:1', password: 'secret' })
  await stored.connect()
  assert.equal((await stored.lnd.lightning.getInfo()).alias, 'alice')
  assert.equal(credentialStore.localKey, '', 'what the store protects is not kept in memory')

  await assert.rejects(make({ remoteKey }).connect(), { code: 'ERR_SESSION_KEYS' })
})

test('permissions are read from the macaroon, and a refused call says so', async (t) => {
  const { lnc: make, phrase } = await pairable(t, READ_ONLY)
  const lnc = make({ pairingPhrase: phrase })
  assert.equal(lnc.isReadOnly, false)
  await lnc.connect()
  assert.equal(lnc.isReadOnly, true)
  assert.equal(lnc.hasPerms('lnrpc.Lightning.GetInfo'), true)
  assert.equal(lnc.hasPerms('lnrpc.Lightning.AddInvoice'), false)
  assert.equal(lnc.hasPerms('looprpc.SwapClient.LoopOut'), false)
  assert.equal(lnc.expiry, undefined)
  await assert.rejects(lnc.lnd.lightning.addInvoice({ value: '1' }), {
    code: 'ERR_NODE_PERMISSION',
  })
  const error = await new Promise<Error>((resolve) => {
    lnc.subscribe('routerrpc.Router.SendPaymentV2', {}, () => {}, resolve)
  })
  assert.equal('code' in error && error.code, 'ERR_NODE_PERMISSION')
})

test('methods that nothing describes and requests of another shape are refused in words', async (t) => {
  const { lnc: make, phrase } = await pairable(t)
  const lnc = make({ pairingPhrase: phrase })
  await lnc.connect()
  await assert.rejects(lnc.loop.swapClient.loopOutTerms(), {
    code: 'ERR_NODE_DESCRIPTOR',
    message: /looprpc\.SwapClient\.LoopOutTerms/,
  })
  await assert.rejects(lnc.request('GetInfo'), { code: 'ERR_NODE_DESCRIPTOR' })
  await assert.rejects(lnc.request('lnrpc.Lightning.AddInvoice', { valu: 1 }), TypeError)
  await assert.rejects(lnc.request('lnrpc.Lightning.AddInvoice', { value: () => 1 }), TypeError)
  const error = await new Promise<Error>((resolve) => {
    lnc.subscribe('lnrpc.Lightning.SubscribeTransactions', {}, () => {}, resolve)
  })
  assert.equal('code' in error && error.code, 'ERR_NODE_DESCRIPTOR')
})

test('a registry of the caller describes more services; the node answers for what it has', async (t) => {
  const { lnc: make, phrase } = await pairable(t)
  const file = fileDesc(OWN_SERVICE, [file_google_protobuf_empty])
  const lnc = make({ pairingPhrase: phrase, registry: createRegistry(file) })
  await lnc.connect()
  await assert.rejects(lnc.request('own.Own.Do'), {
    code: 'ERR_NODE_CALL',
    grpc: GrpcCode.unimplemented,
    message: /\/own\.Own\/Do/,
  })
  assert.equal((await lnc.lnd.lightning.getInfo()).alias, 'alice')
})
