import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { readTarget } from '../../proxy/target.ts'

type Answer = ReturnType<typeof readTarget>

/** What is read of a request that is sent as it stands; `undefined` when Node refuses it before us. */
async function readHttp1(head: string): Promise<Answer | undefined> {
  let answer: Answer | undefined
  const server = createServer((req, res) => {
    answer = readTarget(req)
    res.setHeader('connection', 'close').end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.end(Buffer.from(`${head}\r\n\r\n`, 'latin1'))
  socket.resume()
  await once(socket, 'close')
  server.close()
  return answer
}

async function readHttp2(headers: Record<string, string>): Promise<Answer | undefined> {
  let answer: Answer | undefined
  const server = createHttp2Server((req, res) => {
    answer = readTarget(req)
    res.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const stream = session.request(headers)
  const closed = new Promise((resolve) => stream.once('close', resolve))
  // Node refuses some of these by itself.
  stream.on('error', () => {})
  stream.resume().end()
  await closed
  session.close()
  server.close()
  return answer
}

const refused = (answer: Answer | undefined) => answer === undefined || 'refused' in answer

const assertHas = (answer: Answer | undefined, expected: object) =>
  assert.deepEqual(answer, { ...answer, ...expected })

describe('targets of HTTP/1.1', () => {
  const READ: readonly [head: string, expected: object][] = [
    [
      'GET /a%20b?q=%2F HTTP/1.1\r\nHost: h.test:81',
      { host: 'h.test:81', path: '/a b', url: '/a%20b?q=%2F', query: 'q=%2F', method: 'GET' },
    ],
    ['GET / HTTP/1.1\r\nHost: [::1]:81', { host: '[::1]:81', path: '/' }],
    ['GET /x?? HTTP/1.1\r\nHost: h', { path: '/x', query: '?', url: '/x??' }],
    ['GET //h2/x HTTP/1.1\r\nHost: h', { host: 'h', path: '//h2/x' }],
    [
      'GET http://abs.test/abs?x=1 HTTP/1.1\r\nHost: other',
      { host: 'abs.test', path: '/abs', url: '/abs?x=1' },
    ],
    [
      'GET HTTP://abs.test:82 HTTP/1.1\r\nHost: other',
      { host: 'abs.test:82', path: '/', url: '/' },
    ],
    [
      'GET https://abs.test?x=/y HTTP/1.1\r\nHost: o',
      { host: 'abs.test', path: '/', url: '/?x=/y' },
    ],
    ['OPTIONS * HTTP/1.1\r\nHost: h', { path: '*', url: '*', method: 'OPTIONS' }],
    ['GET /x HTTP/1.0', { host: '', path: '/x' }],
  ]
  for (const [head, expected] of READ) {
    test(JSON.stringify(head), async () => {
      const answer = await readHttp1(head)
      assertHas(answer, expected)
    })
  }

  const REFUSED = [
    'GET * HTTP/1.1\r\nHost: h',
    'GET x HTTP/1.1\r\nHost: h',
    'GET /a#b HTTP/1.1\r\nHost: h',
    'GET /a?b#c HTTP/1.1\r\nHost: h',
    'GET http://user@abs.test/ HTTP/1.1\r\nHost: h',
    'GET http:///x HTTP/1.1\r\nHost: h',
    'GET ftp://h/x HTTP/1.1\r\nHost: h',
    'GET http:x HTTP/1.1\r\nHost: h',
    'GET http://h\\x/ HTTP/1.1\r\nHost: h',
    'CONNECT h:443 HTTP/1.1\r\nHost: h:443',
    'TRACE / HTTP/1.1\r\nHost: h',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b',
    'GET http://a/ HTTP/1.1\r\nhost: a\r\nHOST: a',
    'GET / HTTP/1.1\r\nHost: a/b',
    'GET / HTTP/1.1\r\nHost: a b',
    'GET / HTTP/1.1\r\nHost: a@b',
    'GET /a/../b HTTP/1.1\r\nHost: h',
    'GET http://h/%2e%2e/b HTTP/1.1\r\nHost: h',
    'GET /%ff HTTP/1.1\r\nHost: h',
    'GET /\xc3\xa9 HTTP/1.1\r\nHost: h',
    'GET / HTTP/1.1',
  ]
  for (const head of REFUSED) {
    test(`${JSON.stringify(head)} is refused`, async () => {
      assert.ok(refused(await readHttp1(head)))
    })
  }
})

describe('targets of HTTP/2', () => {
  test(':authority and :path', async () => {
    const answer = await readHttp2({ ':authority': 'h.test:1', ':path': '/pkg.S/M?x' })
    const expected = { host: 'h.test:1', url: '/pkg.S/M?x', path: '/pkg.S/M', query: 'x' }
    assertHas(answer, expected)
  })

  test('Host may repeat :authority', async () => {
    const both = await readHttp2({ ':authority': 'h.test', host: 'H.test' })
    assertHas(both, { host: 'h.test' })
  })

  test('OPTIONS *', async () => {
    const answer = await readHttp2({ ':method': 'OPTIONS', ':path': '*' })
    assertHas(answer, { path: '*', method: 'OPTIONS' })
  })

  const REFUSED: readonly Record<string, string>[] = [
    { ':path': '' },
    { ':path': 'x' },
    { ':path': '*' },
    { ':path': 'http://h/x' },
    { ':path': '/a#b' },
    { ':path': '/a b' },
    { ':path': '/\xc3\xa9' },
    { ':path': '/%2e%2e/' },
    { ':authority': 'a', host: 'b' },
    { ':authority': 'u@a' },
    { ':method': 'CONNECT', ':authority': 'h:443' },
    { ':method': 'TRACE' },
  ]
  for (const headers of REFUSED) {
    test(`${JSON.stringify(headers)} is refused`, async () => {
      assert.ok(refused(await readHttp2(headers)))
    })
  }
})
