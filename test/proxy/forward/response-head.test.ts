import assert from 'node:assert/strict'
import test from 'node:test'
import { cleanPrefix, upstreamPath } from '../../../proxy/forward/request-path.ts'
import { passedOn, responseHead } from '../../../proxy/forward/response-head.ts'

const CORS = 4 * 2

test('hop-by-hop headers end here, and those that Connection names', () => {
  const raw = [
    'Connection',
    'close, X-Hop',
    'X-Hop',
    '1',
    'Keep-Alive',
    'timeout=5',
    'Upgrade',
    'h2c',
  ]
  const { fields } = responseHead(200, 'OK', [
    ...raw,
    'Transfer-Encoding',
    'chunked',
    'X-Kept',
    '2',
  ])
  assert.deepEqual(fields.slice(0, -CORS), ['X-Kept', '2'])
})

test('CORS: ours alone, or behind what the upstream allows, each member once', () => {
  const named = (raw: readonly string[]) => {
    const { fields } = responseHead(200, 'OK', raw)
    return Object.fromEntries(
      fields.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), fields[i + 1]]] : [])),
    ) as Record<string, string>
  }
  assert.deepEqual(named([]), {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-expose-headers': 'WWW-Authenticate, Payment-Receipt',
    'access-control-allow-headers':
      'Content-Type, Authorization, Grpc-Metadata-macaroon, WWW-Authenticate, Payment-Receipt',
  })
  const merged = named([
    ...['Access-Control-Allow-Origin', 'https://a.test'],
    ...['Access-Control-Allow-Methods', 'PUT,, get'],
    ...['access-control-allow-methods', 'DELETE'],
    ...['Access-Control-Max-Age', '5'],
  ])
  assert.equal(merged['access-control-allow-origin'], '*')
  assert.equal(merged['access-control-allow-methods'], 'PUT, get, DELETE, POST, OPTIONS')
  assert.equal(merged['access-control-max-age'], '5')
})

test('a 204 has no length, other answers one', () => {
  assert.equal(responseHead(204, '', ['Content-Length', '0']).hasLength, false)
  const twice = responseHead(200, '', ['Content-Length', '3', 'content-length', '3'])
  assert.deepEqual(twice.fields.slice(0, -CORS), ['Content-Length', '3'])
})

test('a length that Connection names stays, or the answer would have no end', () => {
  const raw = ['Connection', 'content-length, x-a', 'X-A', '1', 'Content-Length', '3']
  const { fields, hasLength } = responseHead(200, '', raw)
  assert.deepEqual(fields.slice(0, -CORS), ['Content-Length', '3'])
  assert.equal(hasLength, true)
})

test('what is sold is kept by no cache for others, whatever the upstream says', () => {
  const cacheControl = (...raw: readonly string[]) => {
    const { fields } = responseHead(200, '', raw, true)
    const at = fields.indexOf('Cache-Control')
    assert.equal(at, fields.length - CORS - 2, 'one line for caches, and that the last')
    return fields[at + 1]
  }
  assert.equal(cacheControl(), 'private')
  const line = (value: string) => cacheControl('cache-control', value)
  assert.equal(line('public, max-age=60, s-maxage=9,immutable'), 'private, max-age=60, immutable')
  assert.equal(line('Public , S-MaxAge = "9"'), 'private')
  assert.equal(line('private="set-cookie, x-a", max-age=1'), 'private, max-age=1')
  assert.equal(
    line('no-cache="a, public", x="\\", public'),
    'private, no-cache="a, public", x="\\", public',
  )
  assert.equal(line('no-store'), 'private, no-store')
  assert.equal(line('private'), 'private')
  const both = cacheControl('Cache-Control', 'public', 'CACHE-CONTROL', 'max-age=5')
  assert.equal(both, 'private, max-age=5')
  const targeted = ['CDN-Cache-Control', 'public', 'Surrogate-Control', 'a', 'X-Accel-Expires', '9']
  assert.equal(cacheControl(...targeted, 'Connection', 'cache-control'), 'private')
  const free = ['CDN-Cache-Control', 'public', 'Cache-Control', 'public', 'X-A', '1']
  assert.deepEqual(responseHead(200, '', free).fields.slice(0, -CORS), free)
})

test('what stands in trailers and interim answers goes on without framing', () => {
  assert.deepEqual(passedOn(['Link', '<a>', 'Content-Length', '3', 'Connection', 'x']), [
    'Link',
    '<a>',
  ])
})

test('prefixes join as Go joins them, and what was matched stays as it was', () => {
  for (const [prefix, url, joined] of [
    ['', '/a//b/%2e?c', '/a//b/%2e?c'],
    ['/', '/a', '/a'],
    ['/v1', '/a', '/v1/a'],
    ['v1/', '/a/', '/v1/a/'],
    ['//v1//x/', '/', '/v1/x/'],
    ['/v1', '/a%2Fb', '/v1/a%2Fb'],
    ['/v1', '*', '*'],
  ] as const) {
    assert.equal(upstreamPath(cleanPrefix(prefix), url), joined)
  }
})
