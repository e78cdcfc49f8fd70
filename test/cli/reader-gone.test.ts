/** `pinhole … | head`: whoever reads goes away. */
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import test from 'node:test'
import { run } from '../../src/cli/program.ts'
import { adminServer } from '../admin/admin-server.ts'

const LINE = {
  at: '2026-01-02T03:04:05.000Z',
  level: 'info' as const,
  part: 'hub',
  text: 'one',
  fields: {},
}
const EVENT = { type: 'services' as const, at: LINE.at }

/** A pipe that nobody reads any more. */
const broken = () =>
  new Writable({
    write: (_chunk, _encoding, done) =>
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  }).on('error', () => {})

for (const words of ['logs --follow', 'events', 'transaction export']) {
  test(`${words} ends with it, which is no failure`, { timeout: 20_000 }, async (t) => {
    const { url } = await adminServer(t, {
      listLogs: () => ({ lines: [LINE], cursor: 'a.1' }),
      streamEvents: async function* (_request, { closed }) {
        yield EVENT
        await new Promise<void>((resolve) => {
          closed.addEventListener('abort', () => resolve())
        })
      },
      exportTransactions: () => 'id\n1\n',
    })
    const args = [...words.split(' '), '--hub', url, '--macaroon', 'ab'.repeat(32)]
    const stderr = { write: (text: string) => assert.fail(text) }
    assert.equal(await run(args, { stdout: broken(), stderr }), 0)
  })
}
