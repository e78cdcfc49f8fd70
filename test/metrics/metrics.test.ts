/** What is counted, what docs/metrics.md says of it, and that no client makes a new series. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { fromHex } from '../../src/base/bytes.ts'
import { bakeMacaroon } from '../../src/admin/bake.ts'
import { adminHub } from '../admin/hub.ts'

const root = path.resolve(import.meta.dirname, '../..')

interface Figure {
  readonly type: string
  readonly labels: readonly string[]
}

/** The tables of docs/metrics.md. */
function documented(): Map<string, Figure> {
  const text = readFileSync(path.join(root, 'docs/metrics.md'), 'utf8')
  const rows = text.matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\| .+ \|$/gm)
  return new Map(
    [...rows].map(([, name = '', type = '', labels = '']) => {
      return [name, { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, one = '']) => one) }]
    }),
  )
}

/** Every series of a text in Prometheus's format, without values. */
const seriesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => /^[a-z]/.test(line) && !/^(?:process|nodejs)_/.test(line))
    .map((line) => line.replace(/ [^ ]+$/, ''))

async function upstream(t: TestContext): Promise<string> {
  const server = http.createServer((request, response) => {
    response.statusCode = request.url?.includes('broken') ? 503 : 200
    response.end('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function start(t: TestContext) {
  const address = await upstream(t)
  const service = { address, auth: 'off' }
  const ratelimits = [{ pathregexp: '^/free', requests: 1_000_000, per: '1s', burst: 1_000_000 }]
  const admin = await adminHub(t, {
    hashmail: { enabled: true },
    services: [
      { ...service, name: 'free', pathregexp: '^/free', ratelimits },
      { ...service, name: 'sold', pathregexp: '^/sold', auth: 'on', price: 1 },
    ],
  })
  const metrics = async (headers = { authorization: `Bearer ${admin.macaroon}` }) => {
    const answer = await fetch(`${admin.url}/_pinhole/metrics`, { headers })
    return { status: answer.status, text: await answer.text(), headers: answer.headers }
  }
  return { ...admin, metrics }
}

test('every figure is documented with its type and labels, and every documented one is there', async (t) => {
  const { url, metrics } = await start(t)
  for (const at of ['/free/a', '/free/broken', '/sold/a', '/elsewhere']) {
    await (await fetch(url + at)).text()
  }
  const { text } = await metrics()
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
  const found = new Map(types.map(([, name = '', type = '']) => [name, type]))
  const own = [...found.keys()].filter((name) => !/^(?:process|nodejs)_/.test(name))
  const table = documented()
  assert.deepEqual(own.sort(), [...table.keys()].sort())
  for (const [name, { type }] of table) assert.equal(found.get(name), type, name)
  for (const series of seriesOf(text)) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? []
    const figure = table.get(name) ?? table.get(name.replace(/_(?:bucket|sum|count)$/, ''))
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, one = '']) => one)
    assert.deepEqual(
      names.filter((one) => one !== 'le'),
      figure?.labels,
      series,
    )
  }
  assert.match(text, /^process_cpu_seconds_total /m)
})

test('a thousand paths, methods and hosts make no new series', async (t) => {
  const { url, metrics } = await start(t)
  const ask = async (at: string, more: http.RequestOptions = {}) => {
    const request = http.request(url + at, { agent, ...more }).end()
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
    answer.resume()
    await once(answer, 'end')
  }
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 })
  t.after(() => agent.destroy())
  await Promise.all([ask('/free/a'), ask('/nothing'), ask('/free/broken')])
  const before = seriesOf((await metrics()).text)
  await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => {
      const method = i % 3 === 0 ? 'DELETE' : 'GET'
      const headers = { host: `h${i}.example`, 'user-agent': `u${i}`, 'x-request-id': `${i}` }
      return ask(i % 2 === 0 ? `/free/${i}?q=${i}` : `/other/${i}`, { method, headers })
    }),
  )
  const { text } = await metrics()
  assert.deepEqual(seriesOf(text), before)
  assert.match(text, /^pinhole_requests_total\{service="free",outcome="open"\} 502$/m)
  assert.match(text, /^pinhole_forwarded_total\{service="free",result="2xx"\} 501$/m)
  assert.match(text, /^pinhole_forwarded_total\{service="free",result="5xx"\} 1$/m)
  assert.match(
    text,
    /^pinhole_request_duration_seconds_count\{service="free",outcome="open"\} 502$/m,
  )
  assert.match(text, /_bucket\{le="\+Inf",service="free",outcome="open"\} 502$/m)
  assert.match(text, /^pinhole_requests_in_flight\{service="free"\} 0$/m)
})

test('on the main port the scope read is needed', async (t) => {
  const { metrics, macaroon, call } = await start(t)
  const { status, headers } = await metrics()
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const narrowed = (scope: 'read' | 'write') => {
    const bytes = bakeMacaroon(fromHex(macaroon) ?? new Uint8Array(), { scopes: [scope] })
    return { authorization: `Bearer ${Buffer.from(bytes).toString('hex')}` }
  }
  assert.equal((await metrics(narrowed('read'))).status, 200)
  assert.equal((await metrics(narrowed('write'))).status, 403)
  assert.equal((await metrics({ authorization: 'Bearer 00' })).status, 401)
  assert.equal((await metrics({ authorization: '' })).status, 401)
  assert.equal((await call('GET', '/metrics', undefined, null)).status, 401)
})
