import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { followTarget, readMacaroon, readTarget } from '../../src/agent/lnd-files.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { certificate } from '../mailbox/rpc/certificate.ts'

function setUp(t: TestContext) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-files-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'file')
  return { file, put: (content: string | Uint8Array) => writeFileSync(file, content) }
}

test('a macaroon is taken as lnd writes it, or in hex, and nothing else is', async (t) => {
  const { file, put } = setUp(t)
  const { adminMacaroon } = createSimulatedNode()
  put(Buffer.from(adminMacaroon, 'hex'))
  assert.equal(await readMacaroon(file), adminMacaroon)
  put(` ${adminMacaroon.toUpperCase()}\n`)
  assert.equal(await readMacaroon(file), adminMacaroon)
  const first = Buffer.from('0013location lnd\n', 'latin1')
  put(first)
  assert.equal(await readMacaroon(file), first.toString('hex'))
  const base64 = Buffer.from(adminMacaroon, 'hex').toString('base64')
  for (const wrong of ['hello\n', certificate.cert, base64, 'abcd']) {
    put(wrong)
    await assert.rejects(readMacaroon(file), { code: 'ERR_AGENT_FILE', message: /no macaroon/ })
  }
  put('')
  await assert.rejects(readMacaroon(file), { code: 'ERR_AGENT_FILE', message: /is empty/ })
})

test('what is no certificate is said to be none, at the start; later the one of before stays', async (t) => {
  const { file, put } = setUp(t)
  for (const wrong of ['', 'hello\n', certificate.key]) {
    put(wrong)
    const none = { code: 'ERR_AGENT_FILE', message: /holds no certificate in PEM/ }
    await assert.rejects(readTarget('localhost', file), none)
  }
  put(certificate.cert)
  const target = followTarget(await readTarget('localhost:10009', file), file)
  const seen = () => Buffer.from(target().certificate ?? '').toString()
  assert.equal(seen(), certificate.cert)
  put('')
  assert.equal(seen(), certificate.cert)
  put(certificate.other)
  assert.equal(seen(), certificate.other)
  rmSync(file)
  assert.equal(seen(), certificate.other)
  put(certificate.cert)
  assert.deepEqual([target().host, target().port], ['localhost', 10_009])
})
