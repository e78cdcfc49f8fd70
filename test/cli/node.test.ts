import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { run } from '../../src/cli/program.ts'
import { openNodes } from '../../src/nodes/nodes.ts'
import { nodeSecret } from '../../src/nodes/secret.ts'
import { openStore } from '../../src/store/store.ts'
import { until } from '../mailbox/ends.ts'
import { certificate } from '../mailbox/rpc/certificate.ts'
import { authenticator, setUpNode } from '../nodes/setup.ts'

async function setUp(t: TestContext) {
  const ends = await setUpNode(t, { alias: 'bob' })
  const { basedir, relay } = ends
  const pinhole = async (...args: readonly string[]) => {
    const texts = { out: '', err: '' }
    const code = await run([...args, '--basedir', basedir, '--json'], {
      stdout: { write: (text: string) => void (texts.out += text) },
      stderr: { write: (text: string) => void (texts.err += text) },
    })
    const json = (): unknown => JSON.parse(code === 0 ? texts.out : texts.err)
    return { code, ...texts, json }
  }
  const flags = ['--mailbox', relay.mailbox, '--insecure-tls']
  const pair = async (name: string) => {
    const { phrase = '' } = await ends.session()
    const { code, err } = await pinhole('pair', ...flags, '--name', name, phrase)
    assert.equal(code, 0, err)
  }
  return { ...ends, pinhole, pair }
}

const errorOf = (ran: { json(): unknown }) => (ran.json() as { error: { code: string } }).error.code

test('a node whose session a running hub has is shown as in use, and the hub keeps it', async (t) => {
  const { pinhole, pair, basedir, use } = await setUp(t)
  await pair('shop')
  const store = use(openStore(path.join(basedir, 'pinhole.db')))
  const secret = nodeSecret({ basedir })
  const config = authenticator()
  const hub = use(await openNodes({ rows: store.nodes, secret, authenticator: config }))
  await until(() => hub.get('shop')?.state === 'ready')
  const { code, out, err } = await pinhole('node', 'info', 'shop')
  assert.equal(code, 0, err)
  const { name, alias, state } = JSON.parse(out) as Record<string, unknown>
  assert.deepEqual([name, alias, state], ['shop', 'bob', 'in use'])
  assert.match(err, /running hub/)
  assert.equal(hub.get('shop')?.state, 'ready')
  await hub.close()
  assert.match((await pinhole('node', 'info', 'shop')).out, /"state":"connected"/)
})

test('a removed node is gone from the list; a name that is none ends with 5', async (t) => {
  const { pinhole, pair } = await setUp(t)
  await pair('shop')
  const removed = await pinhole('node', 'remove', 'shop')
  assert.deepEqual([removed.code, removed.json()], [0, { removed: 'shop' }])
  assert.deepEqual((await pinhole('node', 'list')).json(), [])
  for (const what of ['info', 'remove']) {
    const unknown = await pinhole('node', what, 'shop')
    assert.deepEqual([unknown.code, errorOf(unknown)], [5, 'ERR_NODE_UNKNOWN'])
  }
})

test('with another secret the list says so, and asking the node ends with 4', async (t) => {
  const { pinhole, pair, basedir } = await setUp(t)
  await pair('shop')
  writeFileSync(path.join(basedir, 'node.key'), new Uint8Array(32))
  const listed = await pinhole('node', 'list')
  assert.equal(listed.code, 0)
  assert.match(listed.out, /"name":"shop".*another secret/)
  const asked = await pinhole('node', 'info', 'shop')
  assert.deepEqual([asked.code, errorOf(asked)], [4, 'ERR_NODE_SECRET'])
  assert.equal((await pinhole('node', 'remove', 'shop')).code, 0, 'removing needs no secret')
})

test('a node that is away ends with 3', async (t) => {
  const { pinhole, pair, relay } = await setUp(t)
  await pair('shop')
  await relay.kill()
  const asked = await pinhole('node', 'info', 'shop')
  assert.deepEqual([asked.code, errorOf(asked)], [3, 'ERR_RELAY_UNREACHABLE'])
})

test('the lnd of the configuration is one of the nodes', async (t) => {
  const { pinhole, simulated, basedir } = await setUp(t)
  const { key, cert } = certificate
  const pairOf = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }
  const credentials = grpc.ServerCredentials.createSsl(null, [pairOf])
  const port = await new Promise<number>((resolve, reject) => {
    simulated.server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const macdir = path.join(basedir, 'macaroons')
  mkdirSync(macdir)
  const macaroon = simulated.macaroons.bake([{ entity: 'invoices', actions: ['read', 'write'] }])
  writeFileSync(path.join(macdir, 'invoice.macaroon'), Buffer.from(macaroon, 'hex'))
  writeFileSync(path.join(basedir, 'tls.cert'), cert)
  const lndhost = `127.0.0.1:${port}`
  const config = { authenticator: { lndhost, tlspath: path.join(basedir, 'tls.cert'), macdir } }
  writeFileSync(path.join(basedir, 'pinhole.yaml'), JSON.stringify(config))

  assert.deepEqual((await pinhole('node', 'list')).json(), [
    { name: 'lnd', kind: 'lnd', address: lndhost },
  ])
  const { code, out, err } = await pinhole('node', 'info', 'lnd')
  assert.equal(code, 0, err)
  const shown = JSON.parse(out) as { state: string; permissions: { allowed: boolean }[] }
  assert.equal(shown.state, 'connected')
  // GetInfo is none of what an invoice.macaroon allows, nor is paying.
  assert.deepEqual(
    shown.permissions.map(({ allowed }) => allowed),
    [false, true, true, true, false, false],
  )
  const kept = await pinhole('node', 'remove', 'lnd')
  assert.deepEqual([kept.code, errorOf(kept)], [2, 'ERR_CLI_USAGE'])
  simulated.server.forceShutdown()
  const gone = await pinhole('node', 'info', 'lnd')
  assert.deepEqual([gone.code, errorOf(gone)], [3, 'ERR_NODE_OFFLINE'])
})
