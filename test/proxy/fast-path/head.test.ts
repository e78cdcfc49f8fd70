/** Whatever the fast path takes, Node's own parser takes too, and reads the same in it. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { Duplex } from 'node:stream'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { readFields, readRequestLine } from '../../../proxy/fast-path/head.ts'

interface Read {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: object
}

/** What we make of a head without its empty line; `undefined` is left to Node. */
function ours(head: string): Read | undefined {
  const end = head.indexOf('\r\n')
  const line = readRequestLine(head.slice(0, end))
  const fields = readFields(head.slice(end + 2))
  if (!line || !fields) return undefined
  const { rawHeaders, headers } = fields
  return { ...line, rawHeaders, headers: { ...headers } }
}

/** What Node's server makes of the same; a text is why it was refused. */
function nodes(head: string): Promise<Read | string> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    wire.on('error', () => {})
    const server = http.createServer((req) => {
      const { method = '', url = '', rawHeaders, headers } = req
      resolve({ method, url, rawHeaders, headers: { ...headers } })
      wire.destroy()
    })
    server.on('clientError', (error: Error) => {
      resolve(error.message)
      wire.destroy()
    })
    for (const event of ['upgrade', 'checkContinue', 'checkExpectation', 'connect'] as const) {
      server.on(event, () => {
        resolve(event)
        wire.destroy()
      })
    }
    server.emit('connection', wire)
    wire.push(Buffer.from(`${head}\r\n`, 'latin1'))
    setImmediate(() => resolve('nothing'))
  })
}

const names = fc.constantFrom(
  ...['Host', 'host', 'Authorization', 'Content-Length', 'Transfer-Encoding', 'Connection'],
  ...[
    'Accept',
    'X-A',
    'x_b',
    'Expect',
    'Upgrade',
    'Cookie',
    'TE',
    'Trailer',
    'Keep-Alive',
    '__proto__',
  ],
  ...['X A', 'X-A ', '', 'X\u00e9', 'X-\u0000'],
)
const values = fc.oneof(
  fc.constantFrom(
    ...[
      'a',
      '',
      ' a ',
      'keep-alive',
      'Keep-Alive',
      'close',
      'chunked',
      '0',
      '12',
      '007',
      '+1',
      '1, 1',
    ],
    ...['\ta', 'a\u0001', 'caf\u00e9', 'a\rb', 'a\nb', 'L402 abc:def', '100-continue', '\u007f'],
  ),
  fc.string({ maxLength: 12 }),
)
/** What every client sends, each name once. */
const plainLines = fc
  .uniqueArray(fc.constantFrom('Accept', 'Cookie', 'TE', 'X-A', 'x_b', 'Authorization'))
  .chain((all) => fc.tuple(...all.map((name) => fc.tuple(fc.constant(name), values))))
  .map((all) => all.map(([name, value]) => `${name}: ${value}\r\n`).join(''))
const fieldLines = fc
  .array(fc.tuple(names, fc.constantFrom(': ', ':', ' : ', ':\t'), values, eol()), { maxLength: 5 })
  .map((all) => all.map((parts) => parts.join('')).join(''))
const targets = fc.oneof(
  fc.constantFrom(
    ...[
      '/',
      '/a/b?c=d',
      '*',
      'http://h/',
      '/a#b',
      '/%61',
      '/a?"<>{}|\\^`',
      '/a b',
      '/\u00e9',
      '//',
      'a',
    ],
  ),
  fc.webPath().map((path) => path || '/'),
  fc.string({ maxLength: 10 }).map((text) => `/${text}`),
)
const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', 'CONNECT', 'get', 'PRI', 'DELETE')
const versions = fc.constantFrom(
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'http/1.1',
)

function eol() {
  return fc.constantFrom(...Array<string>(20).fill('\r\n'), '\n', '\r', '\r\n ', '')
}

/** Mostly in order, with what each of its parts may be instead. */
const oddHeads = fc
  .tuple(methods, targets, versions, fc.constantFrom('Host: h\r\n', 'Host: h\r\n', ''), fieldLines)
  .map(([method, target, version, host, lines]) => {
    return `${method} ${target} ${version}\r\n${host}${lines}`
  })

const plainHeads = fc
  .tuple(fc.constantFrom('GET', 'POST'), fc.oneof(fc.constant('/'), targets), plainLines)
  .map(([method, target, lines]) => `${method} ${target} HTTP/1.1\r\nHost: h\r\n${lines}`)
const heads = fc.oneof(plainHeads, oddHeads)

test('whatever is taken, Node reads the same in it', async () => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(heads, async (head) => {
      const read = ours(head)
      if (!read) return
      taken++
      assert.deepEqual(await nodes(head), read)
    }),
    { numRuns: 6_000 },
  )
  assert.ok(taken > 500, `only ${taken} heads were taken`)
})

const GOOD = 'GET /paid?q=1 HTTP/1.1\r\nHost: api.example\r\nAuthorization: L402 bWFj:cHJl\r\n'

test('an ordinary head is taken as it stands', () => {
  assert.deepEqual(ours(GOOD), {
    method: 'GET',
    url: '/paid?q=1',
    rawHeaders: ['Host', 'api.example', 'Authorization', 'L402 bWFj:cHJl'],
    headers: { host: 'api.example', authorization: 'L402 bWFj:cHJl' },
  })
})

test('what could be read in two ways, or asks something of the connection, is left to Node', () => {
  const odd = [
    'Host: other\r\n',
    'Authorization: L402 x:y\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n',
    'Content-Length: 1\r\nContent-Length: 2\r\n',
    'Content-Length: 1, 1\r\n',
    'Content-Length: +1\r\n',
    'Content-Length: 01\r\n',
    'Content-Length: 0x1\r\n',
    'Connection: upgrade\r\n',
    'Connection: keep-alive, x-a\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\n',
    'X-A: b\n',
    'X-A: b\rX-B: c\r\n',
    ' X-A: b\r\n',
    'X-A : b\r\n',
    'X-A: b\r\n c\r\n',
    'X-A:\tb\r\n',
    'X-A: \u00e9\r\n',
    ': b\r\n',
  ]
  for (const lines of odd) assert.equal(ours(GOOD + lines), undefined, JSON.stringify(lines))
  const line = (text: string) => readRequestLine(text)
  const lines = ['GET /%2e HTTP/1.1', 'GET  / HTTP/1.1', 'OPTIONS / HTTP/1.1', 'GET / HTTP/1.0']
  for (const text of [...lines, 'GET http://h/ HTTP/1.1', 'GET /#a HTTP/1.1', 'get / HTTP/1.1']) {
    assert.equal(line(text), undefined, text)
  }
  assert.equal(ours('GET / HTTP/1.1\r\nX-A: b\r\n'), undefined, 'no host')
  assert.equal(
    readFields(`Host: a\r\n${Array.from({ length: 100 }, (_, i) => `X-${i}: b\r\n`).join('')}`),
    undefined,
  )
})
