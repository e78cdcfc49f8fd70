import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { createHub, loadConfig } from '../src/index.ts'

test('what is for no service comes from the folder, and nothing from beside it', async (t) => {
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-static-'))
  t.after(() => rmSync(basedir, { recursive: true, force: true }))
  const root = path.join(basedir, 'www')
  mkdirSync(path.join(root, 'docs'), { recursive: true })
  writeFileSync(path.join(root, 'index.html'), '<p>home')
  writeFileSync(path.join(root, 'docs', 'a b.txt'), '0123456789')
  writeFileSync(path.join(root, '.secret'), 'no')
  writeFileSync(path.join(basedir, 'key'), 'no')
  const services = [{ name: 's', pathregexp: '^/s/', address: '127.0.0.1:9', auth: 'on' }]
  const values = { listenaddr: '127.0.0.1:0', insecure: true, servestatic: true, staticroot: root }
  const config = loadConfig({ basedir, configfile: false, values: { ...values, services } })
  const hub = createHub(config)
  t.after(() => hub.close())
  const url = await hub.listen()
  const get = async (at: string, init: RequestInit = {}) => {
    const answer = await fetch(url + at, { redirect: 'manual', ...init })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  const home = await get('/?x=1')
  assert.equal(home.text, '<p>home')
  assert.match(home.headers.get('content-type') ?? '', /^text\/html/)
  const part = await get('/docs/a%20b.txt', { headers: { range: 'bytes=2-4' } })
  assert.deepEqual([part.status, part.text], [206, '234'])
  const validator = home.headers.get('etag') ?? ''
  const headers = { 'if-none-match': validator, 'cache-control': 'max-age=9' }
  assert.equal((await get('/', { headers })).status, 304)
  assert.deepEqual((await get('/docs')).headers.get('location'), '/docs/')
  assert.equal((await get('/', { method: 'HEAD' })).headers.get('content-length'), '7')
  assert.equal((await get('/s/x')).status, 503, 'the service comes first')
  for (const at of ['/docs/', '/none', '/.secret', '/%2e%2e/key', '/..%2fkey', '/docs/%00']) {
    const { status, text } = await get(at)
    assert.ok(status >= 400 && status < 500 && text !== 'no', `${at} ${status}`)
  }
  assert.equal((await get('/', { method: 'POST', body: 'x' })).status, 404)
})
