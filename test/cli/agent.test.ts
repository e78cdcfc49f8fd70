import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import * as grpc from '@grpc/grpc-js'

import { connect } from '../../mailbox/connect/node.ts'
import { memoryStore } from '../../mailbox/pairing/pairing.ts'
import { newKey, selfSign } from '../../src/certificate/self-signed.ts'
import { createSimulatedNode, type SimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { testRelay, type TestRelay } from '../mailbox/test-relay.ts'
import { CLI, NODE_ARGS } from '../process.ts'

/** A simulated lnd behind TLS, its files, and a relay. */
async function setUp(t: TestContext) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-agent-'))
  const relay = await testRelay()
  const node = createSimulatedNode({ alias: 'bob' })
  const key = newKey()
  const cert = await certificateOf(key)
  const port = await serve(node, key, cert, 0)
  t.after(async () => {
    node.server.forceShutdown()
    await relay.kill()
    rmSync(folder, { recursive: true })
  })
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(path.join(folder, name), content)
    return path.join(folder, name)
  }
  const flags = {
    '--lnd': `127.0.0.1:${port}`,
    '--tls': file('tls.cert', cert),
    '--macaroon': file('admin.macaroon', Buffer.from(node.adminMacaroon, 'hex')),
    '--mailbox': relay.mailbox,
    '--basedir': path.join(folder, 'base'),
  }
  return { folder, relay, node, flags, file, serve }
}

/** Serves `node` at `port`, any when 0, by TLS. */
function serve(node: SimulatedNode, key: KeyObject, cert: string, port: number): Promise<number> {
  const pair = {
    private_key: Buffer.from(key.export({ type: 'sec1', format: 'pem' })),
    cert_chain: Buffer.from(cert),
  }
  const credentials = grpc.ServerCredentials.createSsl(null, [pair])
  return new Promise((resolve, reject) => {
    node.server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
}

type Flags = Readonly<Record<string, string>>

/** Runs the agent as a process of its own. */
function agent(t: TestContext, flags: Flags, ...more: readonly string[]) {
  const args = [...Object.entries(flags).flat(), '--insecure-tls', ...more]
  const child: ChildProcess = spawn(process.execPath, [...NODE_ARGS, CLI, 'agent', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (out.stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (out.stderr += chunk.toString()))
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  t.after(() => child.kill('SIGKILL'))
  const result = async (): Promise<{ phrase?: string; mailbox: string; paired: boolean }> => {
    while (!out.stdout.includes('\n')) {
      const ended = await Promise.race([exit.then(() => true), once(child.stdout ?? child, 'data')])
      if (ended === true) throw new Error(`the agent ended: ${out.stderr}`)
    }
    return JSON.parse(out.stdout) as Awaited<ReturnType<typeof result>>
  }
  return { child, out, exit, result }
}

const client = (relay: TestRelay) => ({ mailbox: relay.mailbox, ca: relay.ca })

test('serves lnd to the client of its phrase, ends by a signal, goes on with its pairing', async (t) => {
  const { relay, flags } = await setUp(t)
  const first = agent(t, flags)
  const { phrase, mailbox, paired } = await first.result()
  assert.deepEqual([mailbox, paired], [relay.mailbox, false])
  const kept = path.join(flags['--basedir'], 'agent.json')
  assert.equal(statSync(kept).mode & 0o777, 0o600)

  const store = memoryStore()
  const node = await connect({ ...client(relay), phrase, store })
  assert.equal((await node.getInfo()).alias, 'bob')
  assert.match((await node.addInvoice({ value: 21n })).paymentRequest, /^ln/)
  first.child.kill('SIGTERM')
  assert.equal(await first.exit, 0, first.out.stderr)
  assert.equal(readFileSync(kept, 'utf8').includes(phrase ?? '-'), false, 'the phrase is used up')

  const second = agent(t, flags)
  assert.deepEqual(await second.result(), { mailbox: relay.mailbox, paired: true })
  // The client has waited for the node by itself.
  assert.equal((await node.getInfo({ timeoutMs: 20_000 })).alias, 'bob')
  await node.close()
  second.child.kill('SIGINT')
  assert.equal(await second.exit, 0)

  const third = agent(t, flags, '--new')
  const fresh = await third.result()
  assert.ok(fresh.phrase !== undefined && fresh.phrase !== phrase)
  third.child.kill('SIGTERM')
  assert.equal(await third.exit, 0)
})

test('once paired, starts beside an lnd that is not there, and finds it with its new certificate', async (t) => {
  const { relay, flags, node: lnd, file, serve } = await setUp(t)
  const first = agent(t, flags)
  const { phrase } = await first.result()
  const node = await connect({ ...client(relay), phrase, store: memoryStore() })
  assert.equal((await node.getInfo()).alias, 'bob')
  first.child.kill('SIGTERM')
  assert.equal(await first.exit, 0, first.out.stderr)
  lnd.server.forceShutdown()

  const second = agent(t, flags)
  assert.equal((await second.result()).paired, true)
  await assert.rejects(node.getInfo({ timeoutMs: 20_000 }), { code: 'ERR_NODE_CALL' })
  assert.match(second.out.stderr, /"reason":"no connection to the node at [^"]*ECONNREFUSED/)
  const anew = createSimulatedNode({ alias: 'bob again' })
  t.after(() => anew.server.forceShutdown())
  const key = newKey()
  const cert = await certificateOf(key)
  await serve(anew, key, cert, Number(flags['--lnd'].split(':')[1]))
  const distrusted = { message: /another certificate/ }
  await assert.rejects(node.getInfo({ timeoutMs: 20_000 }), distrusted)
  file('tls.cert', cert)
  // Its macaroon is of the one before: the answer is lnd's.
  await assert.rejects(node.getInfo({ timeoutMs: 20_000 }), { code: 'ERR_NODE_PERMISSION' })
  await node.close()
  second.child.kill('SIGTERM')
  assert.equal(await second.exit, 0)

  const third = agent(t, flags, '--json')
  assert.equal(await third.exit, 3, 'a macaroon of another lnd is not waited for')
  assert.match(third.out.stderr, /does not take the macaroon/)
})

test('says at the start what is wrong with lnd or the files', async (t) => {
  const { flags, file, node } = await setUp(t)
  const fails = async (changed: Flags) => {
    const { exit, out } = agent(t, { ...flags, ...changed }, '--json')
    const code = await exit
    const line = out.stderr.split('\n').find((text) => text.startsWith('{"error"')) ?? '{}'
    const { error } = JSON.parse(line) as { error?: { code: string; message: string } }
    return { code, error: error?.code, message: error?.message ?? out.stderr }
  }
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  closed.close()
  const [missing, unreadable, down, certificate, macaroon] = await Promise.all([
    fails({ '--macaroon': '/nowhere/admin.macaroon' }),
    fails({ '--tls': '/nowhere/tls.cert' }),
    fails({ '--lnd': `127.0.0.1:${port}` }),
    fails({ '--tls': file('other.cert', await certificateOf(newKey())) }),
    fails({
      '--macaroon': file(
        'bad.macaroon',
        Buffer.from(node.adminMacaroon.replace(/.{8}$/, '00000000'), 'hex'),
      ),
    }),
  ])
  assert.deepEqual([missing.code, missing.error], [1, 'ERR_AGENT_FILE'])
  assert.match(missing.message, /admin\.macaroon/)
  assert.deepEqual([unreadable.code, unreadable.error], [1, 'ERR_AGENT_FILE'])
  assert.deepEqual([down.code, down.error], [3, 'ERR_AGENT_LND'])
  assert.match(down.message, /ECONNREFUSED/)
  assert.deepEqual([certificate.code, certificate.error], [3, 'ERR_AGENT_LND'])
  assert.deepEqual([macaroon.code, macaroon.error], [3, 'ERR_AGENT_LND'])
  assert.match(macaroon.message, /does not take the macaroon/)
})

function certificateOf(key: KeyObject): Promise<string> {
  const subject = { hostname: 'localhost', names: [], addresses: ['127.0.0.1'] }
  return selfSign(key, subject, Date.now())
}
