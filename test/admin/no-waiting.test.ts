/** Services that change in the middle of a stream: it stays whole, and nobody waits for it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { createAdminClient } from '../../src/admin/index.ts'
import { adminHub } from './hub.ts'

const EDITS = 100
const CHUNK_BYTES = 8_192

/** Answers `/stream` for as long as it is told to, and everything else at once. */
async function startUpstream(t: TestContext) {
  let stream: ServerResponse | undefined
  const server = http.createServer((request, response) => {
    if (request.url === '/stream') stream = response.writeHead(200)
    else response.end('done')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { address: `127.0.0.1:${port}`, stream: () => stream }
}

const chunk = (n: number): Buffer => Buffer.alloc(CHUNK_BYTES, n)

test('100 edits during a stream leave it whole, and every other request is answered meanwhile', async (t) => {
  const upstream = await startUpstream(t)
  const { url, macaroon } = await adminHub(t)
  const admin = createAdminClient(url, macaroon)
  const { address } = upstream
  await admin.createService({ name: 'open', address, path_regexp: '^/', auth: 'off' })

  const streamed = fetch(`${url}/stream`)
  while (!upstream.stream()) await new Promise(setImmediate)
  const stream = upstream.stream()
  assert.ok(stream)
  stream.flushHeaders()
  const body = (await streamed).arrayBuffer()
  let ended = false
  void body.then(() => (ended = true))

  for (let edit = 0; edit < EDITS; edit++) {
    stream.write(chunk(edit))
    const change = edit % 2 === 0 ? { rewrite_prefix: `/v${edit}` } : { price: edit }
    const [changed, other] = await Promise.all([
      admin.updateService({ name: 'open', ...change }),
      fetch(`${url}/other`),
    ])
    assert.equal(changed.name, 'open')
    assert.equal(await other.text(), 'done')
  }
  assert.equal(ended, false, 'the stream went on until here')

  // One that is no longer sold is streamed to its end all the same.
  await admin.deleteService({ name: 'open' })
  assert.equal((await fetch(`${url}/other`)).status, 404)
  stream.end(chunk(EDITS))
  const expected = Buffer.concat(Array.from({ length: EDITS + 1 }, (_, n) => chunk(n)))
  assert.ok(expected.equals(Buffer.from(await body)), 'the stream is whole')
})
