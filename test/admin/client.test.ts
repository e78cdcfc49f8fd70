import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import test, { after, type TestContext } from 'node:test'
import { createAdminClient } from '../../src/admin/client.ts'
import { type OperationName, operations } from '../../src/admin/contract.ts'
import { isPinholeError, PinholeError } from '../../src/base/errors.ts'
import { adminServer, type Answers } from './admin-server.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-admin-'))
after(() => rmSync(folder, { recursive: true }))

const MACAROON = '0201'

async function setUp(t: TestContext, answers: Answers) {
  const server = await adminServer(t, answers)
  return { ...server, client: createAdminClient(server.url, MACAROON) }
}

/** A server that answers `text` with `status` to everything. */
async function stranger(t: TestContext, status: number, text: string, headers = {}) {
  const server = http.createServer((_, response) => response.writeHead(status, headers).end(text))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}

const code = (name: string) => (reason: unknown) => isPinholeError(reason) && reason.code === name

test('there is a method for each operation', () => {
  const client = createAdminClient('http://127.0.0.1:1')
  for (const name of Object.keys(operations) as OperationName[]) {
    assert.equal(typeof client[name], 'function')
  }
})

test('fields go where the contract says: path, query, body; the macaroon into its header', async (t) => {
  const { client, calls } = await setUp(t, {
    deleteService: () => ({ status: 'deleted' }),
    listTokens: () => ({ tokens: [], total_count: '7' }),
    validateConfig: () => ({ valid: true, problems: [] }),
  })
  assert.deepEqual(await client.deleteService({ name: 'a/b c', dry_run: true }), {
    status: 'deleted',
  })
  assert.equal((await client.listTokens({ limit: 5, search: undefined })).total_count, '7')
  assert.equal((await client.validateConfig({ yaml: 'a: ü' })).valid, true)
  assert.deepEqual(calls, [
    {
      name: 'deleteService',
      request: { dry_run: 'true', name: 'a/b c' },
      macaroon: MACAROON,
    },
    { name: 'listTokens', request: { limit: '5' }, macaroon: MACAROON },
    { name: 'validateConfig', request: { yaml: 'a: ü' }, macaroon: MACAROON },
  ])
})

test('bytes of a macaroon are sent in hex; what is no macaroon is the caller’s mistake', async (t) => {
  const { url, calls } = await setUp(t, { listNodes: () => ({ nodes: [] }) })
  await createAdminClient(url, Uint8Array.of(2, 255)).listNodes()
  assert.equal(calls[0]?.macaroon, '02ff')
  assert.throws(() => createAdminClient(url, 'admin.macaroon'), TypeError)
  assert.throws(() => createAdminClient('ftp://hub'), TypeError)
})

test('a name that no path can hold is refused before anything is sent', async (t) => {
  const { client, calls } = await setUp(t, {})
  for (const name of ['', '.', '..']) {
    await assert.rejects(client.getService({ name }), code('ERR_ADMIN_REQUEST'))
  }
  assert.deepEqual(calls, [])
})

test('the hub’s errors come as they are', async (t) => {
  const { client } = await setUp(t, {
    getService: () => {
      throw new PinholeError('ERR_ADMIN_NOT_FOUND', 'service not found')
    },
  })
  await assert.rejects(client.getService({ name: 'x' }), (reason) => {
    assert.ok(isPinholeError(reason, 'ERR_ADMIN_NOT_FOUND'))
    assert.equal(reason.message, 'service not found')
    assert.match(reason.docs, /err_admin_not_found/)
    return true
  })
})

test('errors that have only a gRPC code are told by it', async (t) => {
  const cases = [
    [16, 'ERR_ADMIN_MACAROON'],
    [7, 'ERR_ADMIN_SCOPE'],
    [6, 'ERR_ADMIN_EXISTS'],
    [13, 'ERR_HUB_ANSWER'],
  ] as const
  for (const [grpc, name] of cases) {
    const url = await stranger(t, 400, JSON.stringify({ code: grpc, message: 'm', details: [] }))
    await assert.rejects(createAdminClient(url).getInfo(), code(name))
  }
})

test('a hub without an admin API says so; a stranger is told as such', async (t) => {
  const ask = (url: string) => createAdminClient(url).getHealth()
  await assert.rejects(ask(await stranger(t, 404, 'not found')), code('ERR_ADMIN_OFF'))
  await assert.rejects(ask(await stranger(t, 402, '{}')), code('ERR_ADMIN_OFF'))
  await assert.rejects(ask(await stranger(t, 500, '<html>')), code('ERR_HUB_ANSWER'))
  await assert.rejects(ask(await stranger(t, 200, '<html>')), code('ERR_HUB_ANSWER'))
  await assert.rejects(ask(await stranger(t, 200, '{"status":1}')), /getHealth|status/)
})

test('a redirect does not get the macaroon', async (t) => {
  const { url, calls } = await setUp(t, { getHealth: () => ({ status: 'ok' }) })
  const elsewhere = await stranger(t, 307, '', { location: `${url}/api/admin/health` })
  await assert.rejects(createAdminClient(elsewhere, MACAROON).getHealth(), code('ERR_HUB_ANSWER'))
  assert.deepEqual(calls, [])
})

test('a hub that is not there, or silent, is unreachable; a caller’s abort is its own', async (t) => {
  const gone = createAdminClient('http://127.0.0.1:1').getHealth()
  await assert.rejects(gone, code('ERR_HUB_UNREACHABLE'))
  const { client } = await setUp(t, { getHealth: () => new Promise(() => {}) })
  await assert.rejects(client.getHealth({}, { timeoutMs: 20 }), code('ERR_HUB_UNREACHABLE'))
  const abort = new AbortController()
  const asked = client.getHealth({}, { signal: abort.signal })
  abort.abort(new RangeError('enough'))
  await assert.rejects(asked, RangeError)
})

test('the hub’s own certificate is trusted under any name, and no other', async (t) => {
  const health = { getHealth: () => ({ status: 'ok' }) }
  const [ours, other] = ['ours', 'other'].map((name) => path.join(folder, name))
  const server = await adminServer(t, health, { basedir: ours ?? '' })
  await adminServer(t, health, { basedir: other ?? '' })
  const ca = (basedir = '') => readFileSync(path.join(basedir, 'tls.cert'), 'utf8')
  const client = (options: { ca?: string }) => createAdminClient(server.url, MACAROON, options)
  assert.deepEqual(await client({ ca: ca(ours) }).getHealth(), { status: 'ok' })
  await assert.rejects(client({ ca: ca(other) }).getHealth(), code('ERR_HUB_CERTIFICATE'))
  await assert.rejects(client({}).getHealth(), code('ERR_HUB_CERTIFICATE'))
})

const AT = '2026-01-31T12:00:00Z'

test('events come one by one; leaving the loop lets go of the hub', async (t) => {
  let left = () => {}
  const leaving = new Promise<void>((resolve) => (left = resolve))
  const { client } = await setUp(t, {
    streamEvents: async function* (_, { closed }) {
      closed.addEventListener('abort', left)
      for (let count = 0; count < 5; count++) yield { type: 'services', at: AT }
      await leaving
    },
  })
  let seen = 0
  for await (const event of client.streamEvents()) {
    assert.equal(event.type, 'services')
    if (++seen === 3) break
  }
  await leaving
})

test('events that the hub ends, or spoils, end with an error', async (t) => {
  const all = async (events: AsyncIterable<unknown>) => {
    const seen: unknown[] = []
    for await (const event of events) seen.push(event)
    return seen
  }
  const { client } = await setUp(t, {
    streamEvents: async function* () {
      yield { type: 'services', at: AT }
    },
  })
  await assert.rejects(all(client.streamEvents()), code('ERR_HUB_UNREACHABLE'))
  for (const text of ['data: {\n\n', 'data: {"type":"odd"}\n\n', 'x'.repeat(1_100_000)]) {
    const url = await stranger(t, 200, text)
    await assert.rejects(all(createAdminClient(url).streamEvents()), code('ERR_HUB_ANSWER'))
  }
})

test('events are given up when asked to', async (t) => {
  const { client } = await setUp(t, {
    streamEvents: async function* () {
      yield { type: 'services', at: AT }
      await new Promise(() => {})
    },
  })
  const abort = new AbortController()
  await assert.rejects(async () => {
    for await (const { type } of client.streamEvents({}, { signal: abort.signal })) {
      abort.abort(new RangeError(type))
    }
  }, RangeError)
})
