/** The commands about nodes beside a hub that runs on the same base folder. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { listen } from '../../mailbox/listen/listen.ts'
import { operations } from '../../src/admin/contract.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { loadConfig } from '../../src/config/load.ts'
import { adminHub } from '../admin/hub.ts'
import { onTerminal, pinhole } from './pinhole.ts'

async function setUp(t: TestContext) {
  const web = { name: 'web', pathregexp: '^/web/', address: 'localhost:9', price: 1, node: 'bob' }
  const admin = await adminHub(t, { hashmail: { enabled: true }, services: [web] })
  const { url, basedir } = admin
  const yaml = `listenaddr: ${new URL(url).host}\ninsecure: true\nadmin: { enabled: true }\n`
  writeFileSync(path.join(basedir, 'pinhole.yaml'), yaml)
  const simulated = createSimulatedNode({ alias: 'Bob' })
  const authData = `Macaroon: ${simulated.adminMacaroon}`
  const waiting = await listen({ mailbox: url, server: simulated.server, authData })
  t.after(async () => {
    await waiting.close()
    simulated.server.forceShutdown()
  })
  const ran = (...args: readonly string[]) => pinhole(...args, '--basedir', basedir)
  const states = async () => {
    const { out } = await ran('node', 'list')
    const rows = JSON.parse(out) as readonly { name: string; state?: string }[]
    return rows.map(({ name, state }) => [name, state])
  }
  return { ...admin, phrase: waiting.phrase ?? '', ran, states }
}

test('a hub that runs pairs by itself, uses the node at once and lets go of it at once', async (t) => {
  const { hub, url, basedir, phrase, ran, states } = await setUp(t)
  const paired = await ran('pair', '--mailbox', url, phrase)
  assert.equal(paired.code, 0, paired.err)
  const { name, alias, mailbox, permissions } = paired.json() as Record<string, unknown>
  assert.deepEqual([name, alias, mailbox], ['bob', 'Bob', url])
  assert.equal((permissions as readonly unknown[]).length, 6)
  let now = await states()
  while (now[0]?.[1] !== 'ready') now = await states()
  assert.deepEqual(now, [['bob', 'ready']])

  const shown = await ran('node', 'info', 'bob')
  const { state, address, kind } = shown.json() as Record<string, unknown>
  assert.deepEqual([shown.code, state, address, kind], [0, 'connected', url, 'lnc'])
  const lines = await onTerminal('node', 'info', 'bob', '--basedir', basedir)
  assert.match(lines.out, /^sell {2}GetInfo, AddInvoice/m)
  assert.deepEqual((await ran('node', 'reconnect', 'bob')).json(), { reconnecting: 'bob' })
  for (const what of ['info', 'reconnect', 'remove']) {
    assert.equal((await ran('node', what, 'eve')).code, 5, what)
  }
  const dry = await ran('node', 'remove', 'bob', '--dry-run')
  assert.deepEqual([dry.code, dry.json()], [10, { would_remove: 'bob' }])
  assert.equal((await states()).length, 1)
  const removed = await ran('node', 'remove', 'bob')
  assert.deepEqual([removed.code, removed.json()], [0, { removed: 'bob' }])
  assert.match(removed.err, /cannot be bought without the node bob: web$/m)
  assert.deepEqual(await states(), [])
  await hub.close()
})

test('what the hub has paired is in the database once it has ended, and the other way round', async (t) => {
  const { hub, url, basedir, phrase, ran, states } = await setUp(t)
  assert.equal((await ran('pair', '--mailbox', url, '--name', 'shop', phrase)).code, 0)
  await hub.close()
  assert.deepEqual(await states(), [['shop', undefined]])
  const dry = await ran('node', 'remove', 'shop', '--dry-run')
  assert.deepEqual([dry.code, dry.json()], [10, { would_remove: 'shop' }])
  assert.equal((await ran('node', 'remove', 'eve', '--dry-run')).code, 5)
  const none = await ran('node', 'reconnect', 'shop')
  assert.deepEqual([none.code, /ERR_HUB_UNREACHABLE/.test(none.err)], [3, true])
  const again = await adminHub(t, { listenaddr: new URL(url).host }, basedir)
  assert.notEqual((await states())[0]?.[1], undefined, 'the hub is asked')

  // Whoever may not come in works on the database, also beside a hub.
  rmSync(path.join(basedir, 'admin.macaroon'))
  assert.deepEqual(await states(), [['shop', undefined]])
  const { code } = await ran('node', 'list', '--hub', url)
  assert.equal(code, 4, 'a hub that was named has to let in')
  assert.equal((await ran('node', 'remove', 'shop')).code, 0)
  again.hub.reload(loadConfig({ basedir }))
  const known = async () =>
    operations.listNodes.response.parse((await again.call('GET', '/nodes')).body)
  while ((await known()).nodes.length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})
