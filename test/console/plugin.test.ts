import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import fastify from 'fastify'
import { consolePages } from '../../src/console/plugin.ts'

async function served(t: TestContext, files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(path.join(os.tmpdir(), 'pinhole-console-'))
  const folder = path.join(root, 'web')
  writeFileSync(path.join(root, 'secret.txt'), 'secret')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  const app = fastify()
  t.after(async () => {
    await app.close()
    rmSync(root, { recursive: true })
  })
  await app.register(consolePages, { folder })
  return app
}

const BUILD = { 'index.html': '<!doctype html>', 'assets/index-abc.js': 'run()' }

test('the page is asked for anew, its hashed files are kept', async (t) => {
  const app = await served(t, BUILD)
  const page = await app.inject('/_pinhole/')
  assert.equal(page.statusCode, 200)
  assert.equal(page.headers['cache-control'], 'no-cache')
  assert.equal(page.headers['x-content-type-options'], 'nosniff')
  const policy = String(page.headers['content-security-policy'])
  assert.match(
    policy,
    /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
  )
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe|https?:/)
  assert.match(String(page.headers['permissions-policy']), /^camera=\(self\), .*microphone=\(\)/)
  const script = await app.inject('/_pinhole/assets/index-abc.js')
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(script.headers['content-type']), /javascript/)
  const bare = await app.inject('/_pinhole')
  assert.deepEqual([bare.statusCode, bare.headers.location], [308, '/_pinhole/'])
})

test('nothing else of the file system is served', async (t) => {
  const app = await served(t, BUILD)
  for (const url of ['../secret.txt', '%2e%2e/secret.txt', '..%2fsecret.txt', 'assets/', 'none']) {
    assert.equal((await app.inject(`/_pinhole/${url}`)).statusCode, 404, url)
  }
})

test('a copy whose console was not built says how to build it', async (t) => {
  const app = await served(t, {})
  const page = await app.inject('/_pinhole/')
  assert.equal(page.statusCode, 503)
  assert.match(page.body, /npm run build:web/)
})
