import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { adminServer } from '../admin/admin-server.ts'
import { adminHub } from '../admin/hub.ts'
import { onTerminal, pinhole } from './pinhole.ts'

test('a baked macaroon opens what it was baked for and nothing else', async (t) => {
  const { url, basedir, call } = await adminHub(t)
  const out = path.join(basedir, 'watch.macaroon')
  const flags = ['--basedir', basedir, '--hub', url]
  const bake = (...more: readonly string[]) => pinhole('admin', 'bake', ...flags, ...more)
  const made = await bake(
    '--scope',
    'read',
    '--expires',
    '30d',
    '--address',
    '127.0.0.0/8',
    '--out',
    out,
  )
  assert.equal(made.code, 0, made.err)
  const { file, expires_at: expires } = made.json() as { file: string; expires_at: string }
  assert.equal(file, out)
  const days = (Date.parse(expires) - Date.now()) / 86_400_000
  assert.ok(days > 29.9 && days <= 30, expires)
  assert.equal(statSync(out).mode & 0o777, 0o600)

  const watching = ['--hub', url, '--macaroon', out]
  assert.equal((await pinhole('info', ...watching)).code, 0)
  const refused = await pinhole('service', 'remove', 'x', ...watching, '--json')
  assert.equal(refused.code, 4)
  assert.match(refused.err, /ERR_ADMIN_SCOPE.*lacks the scope write/)

  // Printed as hex, it can be kept and used as text; what was baked is baked again.
  const { out: hex } = await pinhole('admin', 'bake', ...watching, '--address', '10.0.0.0/8')
  assert.match(hex, /^[0-9a-f]+\n$/)
  assert.equal((await call('GET', '/info', undefined, hex.trim())).status, 401)
  const again = await bake('--scope', 'read', '--out', out)
  assert.match(again.err, /exists already/)
  assert.deepEqual(readFileSync(out).subarray(0, 1), Buffer.from([2]))
})

test('what cannot be baked is said, and ends with 2', async (t) => {
  const { url, macaroon } = await adminHub(t)
  const bake = (...more: readonly string[]) =>
    pinhole('admin', 'bake', '--hub', url, '--macaroon', macaroon, ...more)
  for (const [flags, said] of [
    [[], /say what it may less/],
    [['--scope', 'everything'], /one of read, write, pay/],
    [['--expires', 'never'], /like 30d or 12h/],
    [['--address', 'home'], /home/],
  ] as const) {
    const { code, err } = await bake(...flags)
    assert.equal(code, 2, flags.join(' '))
    assert.match(err, said)
  }
})

test('a login link is one of the hub that was asked', async (t) => {
  const link = { path: '/_pinhole/login#abc', expires_at: '2026-01-02T03:04:05.000Z' }
  const { url } = await adminServer(t, { createLoginLink: () => link })
  const flags = ['admin', 'login', '--hub', url, '--macaroon', 'ab'.repeat(32)]
  const expected = { url: `${url}/_pinhole/login#abc`, expires_at: link.expires_at }
  assert.deepEqual((await pinhole(...flags)).json(), expected)
  const { out, err } = await onTerminal(...flags)
  assert.equal(out, `${expected.url}\n`)
  assert.match(err, /^It works once, until 2026-01-02/)
})
