import assert from 'node:assert/strict'
import test from 'node:test'
import { createAdminClient } from '../../src/admin/client.ts'
import { followLogs } from '../../src/cli/follow-logs.ts'
import { run } from '../../src/cli/program.ts'
import { adminServer } from '../admin/admin-server.ts'
import { adminHub } from '../admin/hub.ts'
import { until } from '../mailbox/ends.ts'
import { pinhole } from './pinhole.ts'

const AT = '2026-01-02T03:04:05.000Z'
const MACAROON = ['--macaroon', 'ab'.repeat(32)]

test('the log of a hub is followed over its restart, each line once', async (t) => {
  const first = await adminHub(t)
  const { basedir, macaroon, url } = first
  const stop = new AbortController()
  t.after(() => stop.abort())
  const lines: string[] = []
  const remarks: string[] = []
  const following = followLogs({
    client: createAdminClient(url, macaroon),
    request: { limit: 10 },
    signal: stop.signal,
    onLine: ({ fields }) => lines.push(String(fields['operation'])),
    onRemark: (text) => remarks.push(text),
    pollMs: 5,
  })
  const changed = () => lines.filter((line) => line === 'reconnectNode').length
  await first.call('POST', '/nodes/none/reconnect')
  await until(() => changed() === 1)
  await first.hub.close()
  await until(() => remarks.length === 1)
  assert.match(remarks[0] ?? '', /^no hub answers at .*: \S.*\. Waiting for it\.$/)
  const second = await adminHub(t, { listenaddr: new URL(url).host }, basedir)
  await second.call('POST', '/nodes/none/reconnect')
  await second.call('POST', '/nodes/none/reconnect')
  await until(() => changed() === 3)
  assert.deepEqual(remarks.slice(1), ['The hub was started anew.'])
  stop.abort()
  await assert.rejects(following, { name: 'AbortError' })
})

test('a signal ends it with 0; lines are JSON each, and words on a terminal', async (t) => {
  const line = (text: string) => {
    const fields = { node: 'shop' }
    return { at: AT, level: 'warn' as const, part: 'HUB', text, fields }
  }
  const { url, calls } = await adminServer(t, {
    listLogs: () => ({ lines: [line('two\nlines'), line('one')], cursor: 'a.2' }),
  })
  const follow = async (isTTY: boolean, ...more: readonly string[]) => {
    const lines: string[] = []
    const write = (text: string) => {
      if (lines.push(text) === 2) process.emit('SIGINT')
    }
    const code = await run(['logs', '--follow', '--hub', url, ...MACAROON, ...more], {
      stdout: { isTTY, write },
      stderr: { write: (text: string) => assert.fail(text) },
    })
    assert.equal(code, 0)
    return lines
  }
  const piped = await follow(false)
  assert.deepEqual(
    piped.map((text): unknown => JSON.parse(text)),
    [line('one'), line('two\nlines')],
  )
  assert.deepEqual(calls[0]?.request, { limit: '10' })
  const shown = (text: string) => `${AT} warn  HUB         ${text} node=shop\n`
  assert.deepEqual(await follow(true, '--level', 'warn', '--limit', '3'), [
    shown('one'),
    shown('two lines'),
  ])
  assert.deepEqual(calls.at(-1)?.request, { level: 'warn', limit: '3' })
})

test('a hub that refuses, or was never there, ends it', async () => {
  const none = await pinhole('logs', '-f', '--hub', 'http://127.0.0.1:1', ...MACAROON)
  assert.equal(none.code, 3)
})
