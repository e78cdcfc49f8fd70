import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { connect, isPinholeError } from '../../mailbox/index.ts'
import { parseChallenge } from '../../proxy/l402/challenge.ts'
import { type AdminClient, createAdminClient } from '../../src/admin/client.ts'
import { silentLog } from '../../src/base/log.ts'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import { payeeOf } from '../../src/bolt11/signature.ts'
import { toHex } from '../../src/base/bytes.ts'
import { run } from '../../src/cli/program.ts'
import { createSandbox, type Sandbox, sandboxConfig } from '../../src/sandbox/sandbox.ts'
import { checkUnused } from '../../src/sandbox/unused.ts'
import { openStore } from '../../src/store/store.ts'

async function openSandbox(t: TestContext): Promise<{ url: string; sandbox: Sandbox }> {
  const sandbox = createSandbox(sandboxConfig({ listenaddr: '127.0.0.1:0' }), silentLog)
  t.after(() => sandbox.close())
  return { url: await sandbox.listen(), sandbox }
}

/** The admin API as the console of the sandbox has it. */
async function logIn(url: string, sandbox: Sandbox): Promise<AdminClient> {
  const [, code] = (await sandbox.loginLink()).split('#login=')
  const own = { 'x-pinhole-console': '1', 'content-type': 'application/json', origin: url }
  const body = JSON.stringify({ code })
  const answer = await fetch(`${url}/_pinhole/session`, { method: 'POST', headers: own, body })
  const [cookie = ''] = answer.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
  const asked: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers)
    for (const [name, value] of Object.entries({ ...own, cookie })) headers.set(name, value)
    return fetch(input, { ...init, headers })
  }
  return createAdminClient(url, undefined, { fetch: asked })
}

/** Runs a command and gives what it wrote. */
async function pinhole(...args: readonly string[]) {
  const texts = { out: '', err: '' }
  const output = {
    stdout: { write: (text: string) => void (texts.out += text) },
    stderr: { write: (text: string) => void (texts.err += text) },
  }
  return { code: await run(args, output), ...texts }
}

test('the printed phrase pairs a program with the simulated node, once', async (t) => {
  const { url: mailbox, sandbox } = await openSandbox(t)
  const { phrase = '', pubkey } = sandbox.node ?? {}
  const node = await connect({ mailbox, phrase, transport: 'grpc' })
  t.after(() => node.close())
  assert.equal((await node.getInfo()).identityPubkey, pubkey)
  const { rHash } = await node.addInvoice({ valueMsat: 5000n })
  assert.equal((await node.lookupInvoice(rHash)).valueMsat, 5000n)
  await assert.rejects(connect({ mailbox, phrase, timeoutMs: 3000 }), (error) =>
    isPinholeError(error, 'ERR_SESSION_IN_USE', 'ERR_SESSION_NOT_FOUND', 'ERR_NODE_OFFLINE'),
  )
})

test('commands operate it by the macaroon that it names', async (t) => {
  const { sandbox } = await openSandbox(t)
  const { address = '', macaroonFile = '' } = sandbox.admin ?? {}
  const { code, out } = await pinhole('info', '--hub', address, '--macaroon', macaroonFile)
  assert.equal(code, 0)
  assert.match(out, /"sandbox":true/)
})

test('what is free is free, the rest asks for a signed invoice that says it is simulated', async (t) => {
  const { url, sandbox } = await openSandbox(t)
  assert.equal((await fetch(`${url}/free`)).status, 200)
  for (const [path, msat] of [
    ['/paid', 10_000n],
    ['/stream', 25_000n],
  ] as const) {
    const unpaid = await fetch(url + path)
    assert.equal(unpaid.status, 402)
    await unpaid.body?.cancel()
    const [offer] = parseChallenge([unpaid.headers.get('www-authenticate') ?? ''])
    const invoice = decodeInvoice(offer?.invoice ?? '')
    assert.equal(invoice.network, 'regtest')
    assert.equal(invoice.amountMsat, msat)
    assert.match(invoice.description ?? '', /^simulated, no money: /)
    assert.equal(toHex(payeeOf(invoice.paymentRequest)), sandbox.node?.pubkey)
  }
})

test('pinhole fetch pays from the buyer that the sandbox lends, as often as it is run', async (t) => {
  const { url } = await openSandbox(t)
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-fetch-'))
  t.after(() => rmSync(basedir, { recursive: true }))
  const common = ['--basedir', basedir, '--sandbox', '--max-sats', '30']
  for (let n = 0; n < 2; n++) {
    const { code, out, err } = await pinhole('fetch', `${url}/paid`, ...common)
    assert.equal(code, 0, err)
    assert.match(out, /"message":"You have paid for this/)
    assert.match(err, /^Paid 10 sat, and 0 sat for the route\. No real money moved\.\n$/)
  }
  const stream = await pinhole('fetch', `${url}/stream`, '--json', ...common)
  const said = JSON.parse(stream.out) as Record<string, unknown>
  assert.deepEqual([said['status'], said['paidMsat']], [200, '25000'])
  assert.match(String(said['body']), /"tick":10/)
  const file = path.join(basedir, 'free.json')
  const free = await pinhole('fetch', `${url}/free`, '-i', '-o', file, ...common)
  assert.match(free.out, /^HTTP 200 OK\n/)
  assert.equal(free.err, '')
  const dear = await pinhole('fetch', `${url}/paid`, '--basedir', basedir, '--max-sats', '9')
  assert.equal(dear.code, 4)
  assert.match(dear.err, /asks for 10 sat and the limit is 9 sat[^]*ERR_PAYMENT_LIMIT/)
  // Nothing of a sandbox's tokens is kept.
  assert.deepEqual(readdirSync(basedir), ['free.json'])
})

test('its node is operated like any other, but stays the only one', async (t) => {
  const { url, sandbox } = await openSandbox(t)
  const { pubkey } = sandbox.node ?? {}
  const admin = await logIn(url, sandbox)
  const { nodes } = await admin.listNodes()
  const [node] = nodes
  assert.deepEqual([nodes.length, node?.name, node?.state], [1, 'sandbox', 'ready'])
  assert.equal((await admin.getInfo()).sandbox, true)
  const report = await admin.testNode({ name: 'sandbox' })
  assert.deepEqual([report.pubkey, report.network, report.mailbox], [pubkey, 'regtest', url])
  assert.equal(report.receivable_msat, '10000000000')
  assert.ok(report.permissions.every(({ allowed }) => allowed))
  assert.equal((await fetch(`${url}/paid`)).status, 402)
  await admin.reconnectNode({ name: 'sandbox' })
  assert.equal((await admin.testNode({ name: 'sandbox' })).pubkey, pubkey)
  const isRefusal = (error: unknown) => isPinholeError(error, 'ERR_SANDBOX_NODE')
  await assert.rejects(admin.pairNode({ phrase: sandbox.node?.phrase ?? '' }), isRefusal)
  for (const dry_run of [true, false]) {
    await assert.rejects(admin.removeNode({ name: 'sandbox', dry_run }), isRefusal)
  }
  await assert.rejects(admin.testNode({ name: 'other' }), (error) =>
    isPinholeError(error, 'ERR_NODE_UNKNOWN'),
  )
  const tried = await admin.tryService({ name: 'paid', path: '/paid', max_sats: '10' })
  assert.deepEqual([tried.status, tried.paid], [200, true])
})

test('a sandbox that cannot have its port ends what it had begun', async (t) => {
  const { url } = await openSandbox(t)
  const { port } = new URL(url)
  const second = createSandbox(sandboxConfig({ listenaddr: `127.0.0.1:${port}` }), silentLog)
  await assert.rejects(second.listen(), (error) => isPinholeError(error, 'ERR_LISTEN_ADDRESS'))
  await second.close()
})

test('a base folder with a configuration or a paired node is not taken for a sandbox', async (t) => {
  const folder = () => {
    const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-unused-'))
    t.after(() => rmSync(made, { recursive: true }))
    return made
  }
  const isRefusal = (error: unknown) => isPinholeError(error, 'ERR_SANDBOX_CONFIG')
  const empty = folder()
  checkUnused(empty)
  checkUnused(path.join(empty, 'missing'))
  for (const name of ['pinhole.yaml', 'aperture.yaml']) {
    const configured = folder()
    writeFileSync(path.join(configured, name), '')
    assert.throws(() => checkUnused(configured), isRefusal)
    const { code, err } = await pinhole('start', '--sandbox', '--basedir', configured)
    assert.equal(code, 1)
    assert.match(err, /there is a configuration, .*--ignore-config/)
  }
  const paired = folder()
  const store = openStore(path.join(paired, 'pinhole.db'))
  checkUnused(paired)
  const row = { name: 'shop', kind: 'lnc', sealed: new Uint8Array(1), createdAtMs: 1 } as const
  await store.nodes.put(row)
  assert.throws(() => checkUnused(paired), isRefusal)
  await store.close()
  assert.throws(() => checkUnused(paired), isRefusal)
  writeFileSync(path.join(empty, 'pinhole.db'), 'no database')
  assert.throws(() => checkUnused(empty), isRefusal)
})

test('closed while it starts, it leaves nothing behind that would go on', async () => {
  for (const turns of [0, 5, 20, 60, 150]) {
    const sandbox = createSandbox(sandboxConfig({ listenaddr: '127.0.0.1:0' }), silentLog)
    const started = sandbox.listen().then(
      () => undefined,
      () => undefined,
    )
    for (let turn = 0; turn < turns; turn++) await new Promise((next) => setImmediate(next))
    await sandbox.close()
    await started
  }
})
