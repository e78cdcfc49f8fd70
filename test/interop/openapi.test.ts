/** The admin API, tried by its own OpenAPI document: what it takes, refuses and answers is what it says. */
import { spawn, spawnSync } from 'node:child_process'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { bakeMacaroon } from '../../src/admin/bake.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { type AdminHub, adminHub } from '../admin/hub.ts'
import { openShop } from '../admin/shop.ts'
import { leaveOut } from './peers.ts'

const own = path.resolve(import.meta.dirname, '../../.cache/schemathesis/bin/schemathesis')
const program = existsSync(own) ? own : 'schemathesis'
const isThere = () => spawnSync(program, ['--version']).status === 0

const MISSING =
  'needs schemathesis: python3 -m venv .cache/schemathesis; .cache/schemathesis/bin/pip install schemathesis==4.32.5'

/** Its clients are many, behind a proxy; what it would pair with or forward to is not there. */
const VALUES = {
  trustproxy: ['127.0.0.1'],
  hashmail: { enabled: true },
  authenticator: { mailboxaddress: '127.0.0.1:1' },
}
const RUN_MS = 120_000

/** Runs it against `url`; what it says when something is not as documented. */
async function tried(
  t: TestContext,
  { url }: AdminHub,
  macaroon: string | undefined,
  args: readonly string[],
): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-openapi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const shown = macaroon === undefined ? [] : ['--header', `Grpc-Metadata-Macaroon: ${macaroon}`]
  cpSync(path.join(import.meta.dirname, 'openapi'), folder, { recursive: true })
  const child = spawn(
    program,
    [
      ...[
        '--config-file',
        'schemathesis.toml',
        'run',
        `${url}/api/admin/openapi.json`,
        '--url',
        url,
      ],
      ...['--checks', 'all', '--request-timeout', '60', '--warnings', 'off', '--no-color'],
      ...shown,
      ...args,
    ],
    { cwd: folder, timeout: RUN_MS },
  )
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  const text = Buffer.concat(said).toString()
  assert.equal(code, 0, text.slice(-8_000))
  assert.match(text, /\b[1-9]\d* passed\b/)
}

const NODE_OPERATIONS = ['listNodes', 'pairNode', 'testNode', 'reconnectNode', 'removeNode']

function requireSchemathesis(t: TestContext): boolean {
  return isThere() || leaveOut(t, MISSING)
}

test('the admin API is as its document says', async (t) => {
  if (!requireSchemathesis(t)) return
  const shop = await openShop(t, VALUES)
  await shop.buy()
  const whole = tried(t, shop, shop.macaroon, ['--phases', 'coverage,fuzzing', '-n', '4'])
  // A hub that has its nodes from its program has no operations on them.
  const nodes = NODE_OPERATIONS.flatMap((name) => ['--include-operation-id', name])
  const empty = await adminHub(t, VALUES)
  const readOnly = bakeMacaroon(fromHex(shop.macaroon) ?? new Uint8Array(), { scopes: ['read'] })
  const few = ['--phases', 'fuzzing', '-n', '2']
  const others = async () => {
    await tried(t, empty, empty.macaroon, [...nodes, '--phases', 'coverage,fuzzing', '-n', '4'])
    await tried(t, shop, toHex(readOnly), few)
    const forged = shop.macaroon.replace(/..$/, (last) => (last === '00' ? '01' : '00'))
    await tried(t, shop, forged, few)
    await tried(t, shop, undefined, few)
  }
  await Promise.all([whole, others()])
  for (const { call } of [shop, empty]) assert.equal((await call('GET', '/info')).status, 200)
})
