import assert from 'node:assert/strict'
import test from 'node:test'

import { connect, isPinholeError } from '../../mailbox/index.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSandbox, sandboxConfig } from '../../src/sandbox/sandbox.ts'

test('the printed phrase pairs a program with the simulated node, once', async (t) => {
  const sandbox = createSandbox(sandboxConfig({ listenaddr: '127.0.0.1:0' }), silentLog)
  t.after(() => sandbox.close())
  const mailbox = await sandbox.listen()
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

test('a sandbox that cannot have its port ends what it had begun', async (t) => {
  const first = createSandbox(sandboxConfig({ listenaddr: '127.0.0.1:0' }), silentLog)
  t.after(() => first.close())
  const port = new URL(await first.listen()).port
  const second = createSandbox(sandboxConfig({ listenaddr: `127.0.0.1:${port}` }), silentLog)
  await assert.rejects(second.listen(), (error) => isPinholeError(error, 'ERR_LISTEN_ADDRESS'))
  await second.close()
})
