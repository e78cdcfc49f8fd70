import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { listen } from '../../mailbox/listen/listen.ts'
import { operations } from '../../src/admin/contract.ts'
import { PAYING, SELLING } from '../../src/nodes/permissions.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { adminHub } from './hub.ts'

const UNKNOWN_PHRASE = 'abandon ability able about above absent absorb abstract absurd abuse'
const SERVICE = { name: 'paid', address: '127.0.0.1:9', path_regexp: '^/paid', price: '5' }

/** Resolves once `holds` does: a connection comes about in its own time. */
async function settled(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`still not so: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A hub with a relay, and a simulated node that waits there. */
async function setUp(t: TestContext, values: Readonly<Record<string, unknown>> = {}) {
  const admin = await adminHub(t, { hashmail: { enabled: true }, ...values })
  const simulated = createSimulatedNode({ alias: 'Bob' })
  const open: { close(): Promise<void> }[] = []
  t.after(async () => {
    for (const one of open) await one.close()
    simulated.server.forceShutdown()
  })
  const session = async (macaroon = simulated.adminMacaroon): Promise<string> => {
    const { server } = simulated
    const waiting = await listen({ mailbox: admin.url, server, authData: `Macaroon: ${macaroon}` })
    open.push(waiting)
    return waiting.phrase ?? assert.fail('no phrase')
  }
  const listed = async () =>
    operations.listNodes.response.parse((await admin.call('GET', '/nodes')).body).nodes
  return { ...admin, simulated, session, listed }
}

test('a node is paired while the hub runs, sells at once, is asked, connected anew and removed', async (t) => {
  const { call, session, listed, simulated, url } = await setUp(t)
  assert.deepEqual(await listed(), [])
  await call('POST', '/services', SERVICE)
  assert.equal((await fetch(`${url}/paid`)).status, 503)

  const words = { phrase: await session(), mailbox: url }
  const drawn = await call('POST', '/nodes', words)
  const paired = operations.pairNode.response.parse(drawn.body)
  assert.deepEqual([paired.name, paired.alias, paired.network], ['bob', 'Bob', 'regtest'])
  assert.deepEqual([paired.mailbox, paired.advice, paired.expires_at], [url, '', ''])
  assert.equal(paired.receivable_msat, '0')
  assert.ok(paired.latency_ms >= 0)
  assert.equal(paired.permissions.length, SELLING.length + PAYING.length)
  assert.ok(!JSON.stringify(drawn.body).includes(words.phrase))

  // By itself: nobody has to restart anything.
  const connected = () =>
    settled(async () => (await listed()).every(({ state }) => state === 'ready'))
  await connected()
  assert.equal((await fetch(`${url}/paid`)).status, 402)
  await settled(async () =>
    (await listed()).every(({ subscribed, alias }) => subscribed && alias !== ''),
  )
  const [node] = await listed()
  assert.deepEqual(
    [node?.name, node?.kind, node?.state, node?.reason, node?.configured],
    ['bob', 'lnc', 'ready', '', false],
  )
  assert.equal(node?.pubkey, paired.pubkey)

  const again = await call('POST', '/nodes', words)
  assert.deepEqual([again.status, again.body.name], [200, 'bob'], 'the same words, the same node')
  const renamed = await call('POST', '/nodes', { ...words, name: 'other' })
  assert.deepEqual([renamed.status, renamed.body.error], [409, 'ERR_NODE_EXISTS'])
  const asked = operations.testNode.response.parse((await call('POST', '/nodes/bob/test')).body)
  assert.deepEqual(asked.permissions, paired.permissions)

  const made = simulated.invoices.since(0n, 0n).length
  assert.equal((await call('POST', '/nodes/bob/reconnect')).status, 200)
  assert.equal((await call('POST', '/nodes/bob/test')).status, 200)
  await connected()
  assert.equal((await fetch(`${url}/paid`)).status, 402)
  await settled(async () => (await listed()).every(({ subscribed }) => subscribed))
  assert.ok(simulated.invoices.since(0n, 0n).length - made < 8, 'what was made ahead is kept')

  assert.equal((await call('DELETE', '/nodes/bob', { dry_run: true })).status, 200)
  assert.equal((await listed()).length, 1)
  assert.deepEqual((await call('DELETE', '/nodes/bob')).body, { status: 'removed' })
  assert.deepEqual(await listed(), [])
  for (const [method, at] of [
    ['DELETE', '/nodes/bob'],
    ['POST', '/nodes/bob/test'],
    ['POST', '/nodes/bob/reconnect'],
  ] as const) {
    const { status, body } = await call(method, at)
    assert.deepEqual([status, body.error], [404, 'ERR_NODE_UNKNOWN'], at)
  }
  assert.equal((await fetch(`${url}/paid`)).status, 503)
})

test('what a session may not do is said, with what to type', async (t) => {
  const { call, session, simulated, url } = await setUp(t)
  const macaroon = simulated.macaroons.bake([
    { entity: 'uri', actions: ['/lnrpc.Lightning/AddInvoice'] },
  ])
  const { body } = await call('POST', '/nodes', {
    phrase: await session(macaroon),
    mailbox: url,
    name: 'adder',
  })
  const report = operations.pairNode.response.parse(body)
  assert.deepEqual([report.name, report.alias, report.receivable_msat], ['adder', '', ''])
  assert.match(report.advice, /litcli sessions add [^]*--uri \/lnrpc.Lightning\/SubscribeInvoices/)
})

test('words, names and addresses that are wrong are refused, and none is stored', async (t) => {
  const { call, listed, url } = await setUp(t, { authenticator: { network: 'regtest' } })
  const pair = async (body: Readonly<Record<string, unknown>>) => {
    const { status, body: drawn } = await call('POST', '/nodes', body)
    assert.ok(!JSON.stringify(drawn).includes('absorb'), 'no word is repeated')
    return [status, drawn.error]
  }
  const words = { phrase: UNKNOWN_PHRASE, mailbox: url }
  assert.deepEqual(await pair({}), [400, 'ERR_ADMIN_REQUEST'])
  assert.deepEqual(await pair({ phrase: 'abandon' }), [400, 'ERR_PHRASE_WORD_COUNT'])
  assert.deepEqual(await pair({ ...words, name: '../x' }), [400, 'ERR_ADMIN_REQUEST'])
  assert.deepEqual(await pair({ ...words, mailbox: 'ftp://a/b' }), [400, 'ERR_RELAY_ADDRESS'])
  assert.deepEqual(await pair(words), [404, 'ERR_SESSION_NOT_FOUND'])
  assert.deepEqual(await listed(), [])
})

test('a node of the configuration stays; one that is away says so', async (t) => {
  const { call, listed } = await setUp(t, {
    authenticator: { lndhost: '127.0.0.1:1', tlspath: '/nowhere', macdir: '/nowhere' },
  })
  const [node] = await listed()
  assert.deepEqual([node?.name, node?.kind, node?.configured], ['lnd', 'lnd', true])
  const { status, body } = await call('DELETE', '/nodes/lnd')
  assert.equal(status, 400)
  assert.match(String(body.message), /remove authenticator.lndhost/)
})
