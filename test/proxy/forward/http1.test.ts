import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { ask, listenOn, service, startHub } from './forwarding.ts'

const echo: http.RequestListener = (req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    res.setHeader('content-type', 'application/json')
    res.end(
      JSON.stringify({
        method: req.method,
        url: req.url,
        rawHeaders: req.rawHeaders,
        trailers: req.trailers,
        body: Buffer.concat(chunks).toString(),
      }),
    )
  })
}

interface Seen {
  method: string
  url: string
  rawHeaders: string[]
  trailers: Record<string, string>
  body: string
}

const seen = (body: Buffer) => JSON.parse(body.toString()) as Seen

test('GET: path and query byte for byte, Host is the upstream', async (t) => {
  const address = await listenOn(t, http.createServer(echo))
  const hub = await startHub(t, service({ address }, { rewritePrefix: 'v1/' }))
  const answer = await ask(`${hub.url}/a%2Fb//c?x=%20&y=1+2`)
  const { method, url, rawHeaders } = seen(answer.body)
  assert.deepEqual([answer.status, method, url], [200, 'GET', '/v1/a%2Fb//c?x=%20&y=1+2'])
  assert.equal(rawHeaders[rawHeaders.findIndex((n) => n.toLowerCase() === 'host') + 1], address)
  assert.equal(answer.headers['access-control-allow-origin'], '*')
  assert.deepEqual(hub.outcomes, [{ name: 'served', status: 200 }])
})

test('status texts, several Set-Cookie lines and header bytes beyond ASCII arrive as sent', async (t) => {
  const address = await listenOn(
    t,
    http.createServer((_req, res) => {
      res.writeHead(418, 'Short And Stout', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Name',
        'Zoë',
      ])
      res.end()
    }),
  )
  const hub = await startHub(t, service({ address }))
  const answer = await ask(hub.url)
  assert.deepEqual([answer.status, answer.statusText], [418, 'Short And Stout'])
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(answer.headers['x-name'], 'Zoë')
})

for (const [what, headers] of [
  ['a length', { 'content-length': '5' }],
  ['chunks', { 'transfer-encoding': 'chunked' }],
] as const) {
  test(`a body framed by ${what} has that one framing upstream`, async (t) => {
    const address = await listenOn(t, http.createServer(echo))
    const hub = await startHub(t, service({ address }))
    for (const method of ['POST', 'PUT', 'DELETE', 'GET']) {
      const answer = await ask(hub.url, { method, headers, body: 'hello' })
      const { body, rawHeaders } = seen(answer.body)
      assert.equal(body, 'hello')
      const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
      const framing = names.filter((n) => n === 'content-length' || n === 'transfer-encoding')
      assert.deepEqual(framing, Object.keys(headers), method)
    }
  })
}

test('a POST without a body says so', async (t) => {
  const address = await listenOn(t, http.createServer(echo))
  const hub = await startHub(t, service({ address }))
  const { rawHeaders } = seen((await ask(hub.url, { method: 'POST' })).body)
  const at = rawHeaders.findIndex((name) => name.toLowerCase() === 'content-length')
  assert.equal(rawHeaders[at + 1], '0')
})

test('trailers pass both ways', async (t) => {
  const address = await listenOn(
    t,
    http.createServer((req, res) => {
      req.resume().on('end', () => {
        res.writeHead(200, { trailer: 'x-sum' })
        res.write('body')
        res.addTrailers({ 'x-sum': req.trailers['x-count'] ?? 'none' })
        res.end()
      })
    }),
  )
  const hub = await startHub(t, service({ address }))
  const trailers = await new Promise((resolve, reject) => {
    const req = http.request(
      hub.url,
      { method: 'POST', headers: { trailer: 'x-count' } },
      (res) => {
        assert.equal(res.headers.trailer, 'x-sum')
        res.resume().on('end', () => resolve(res.trailers))
      },
    )
    req.on('error', reject)
    req.write('body')
    req.addTrailers({ 'x-count': '4' })
    req.end()
  })
  assert.deepEqual(trailers, { 'x-sum': '4' })
})

test('HEAD keeps the length and has no body, 204 and 304 have none, Range passes', async (t) => {
  const address = await listenOn(
    t,
    http.createServer((req, res) => {
      if (req.url === '/204') res.writeHead(204).end()
      else if (req.url === '/304') res.writeHead(304, { etag: '"a"' }).end()
      else if (req.headers.range) {
        res.writeHead(206, { 'content-range': `bytes ${req.headers.range.slice(6)}/10` }).end('234')
      } else res.writeHead(200, { 'content-length': '10' }).end('0123456789')
    }),
  )
  const hub = await startHub(t, service({ address }))
  const head = await ask(hub.url, { method: 'HEAD' })
  assert.deepEqual([head.headers['content-length'], head.body.length], ['10', 0])
  assert.equal((await ask(`${hub.url}/204`)).status, 204)
  const notModified = await ask(`${hub.url}/304`)
  assert.deepEqual([notModified.status, notModified.headers.etag], [304, '"a"'])
  const part = await ask(hub.url, { headers: { range: 'bytes=2-4' } })
  assert.deepEqual([part.status, part.headers['content-range']], [206, 'bytes 2-4/10'])
  assert.equal(part.body.toString(), '234')
})

test('interim answers arrive before the answer', async (t) => {
  const address = await listenOn(
    t,
    http.createServer((_req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => res.end('done'))
    }),
  )
  const hub = await startHub(t, service({ address }))
  for (const method of ['GET', 'POST']) {
    const hints = await new Promise((resolve, reject) => {
      let got: unknown
      http
        .request(hub.url, { method }, (res) => res.resume().on('end', () => resolve(got)))
        .on('information', (info) => (got = [info.statusCode, info.headers.link]))
        .on('error', reject)
        .end(method === 'POST' ? 'x' : undefined)
    })
    assert.deepEqual(hints, [103, '</a.css>; rel=preload'])
  }
})

test('interim answers without end are not piled up for a client that does not read them', async (t) => {
  const count = 100
  const address = await listenOn(
    t,
    net.createServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', () => {
          const hint = `HTTP/1.1 103 Early Hints\r\nLink: ${'a'.repeat(8_000)}\r\n\r\n`
          socket.write(`${hint.repeat(count)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`)
        })
    }),
  )
  const hub = await startHub(t, service({ address }))
  for (const method of ['GET', 'OPTIONS']) {
    const passed = await new Promise<number>((resolve, reject) => {
      let interim = 0
      http
        .request(hub.url, { method, maxHeaderSize: 1e6 }, (res) => {
          res.resume().on('end', () => resolve(interim))
        })
        .on('information', () => interim++)
        .on('error', reject)
        .end()
    })
    assert.equal(passed, 8, method)
  }
})

test('server-sent events arrive one by one as they are sent', async (t) => {
  let send = (_text: string) => {}
  const address = await listenOn(
    t,
    http.createServer((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.flushHeaders()
      send = (text) => void res.write(text)
    }),
  )
  const hub = await startHub(t, service({ address }))
  await new Promise<void>((resolve, reject) => {
    const req = http.get(hub.url, { agent: false }, (res) => {
      const expected = ['data: 1\n\n', 'data: 2\n\n']
      res.setEncoding('utf8').on('data', (text: string) => {
        assert.equal(text, expected.shift())
        if (expected.length > 0) return send('data: 2\n\n')
        res.on('error', () => {})
        req.destroy()
        resolve()
      })
      send('data: 1\n\n')
    })
    req.on('error', reject)
  })
})

test('a Unix socket', async (t) => {
  const file = path.join(os.tmpdir(), `pinhole-forward-${process.pid}.sock`)
  const server = http.createServer(echo)
  await new Promise<void>((resolve) => server.listen(file, resolve))
  t.after(() => server.close().closeAllConnections())
  const hub = await startHub(t, service({ address: `unix:${file}` }))
  assert.equal(seen((await ask(`${hub.url}/a`)).body).url, '/a')
  assert.equal(seen((await ask(`${hub.url}/a`, { method: 'POST', body: 'x' })).body).body, 'x')
})

test('connections are kept and used again, also by requests with bodies', async (t) => {
  let connections = 0
  const server = http.createServer(echo).on('connection', () => connections++)
  const address = await listenOn(t, server)
  const hub = await startHub(t, service({ address }))
  for (let i = 0; i < 5; i++) {
    await ask(hub.url)
    await ask(hub.url, { method: 'HEAD' })
    await ask(hub.url, { method: 'POST', body: 'x' })
  }
  assert.equal(connections, 1)
})

test('a kept connection that the upstream closes under a request is replaced, once for GET', async (t) => {
  let requests = 0
  const address = await listenOn(
    t,
    http.createServer((req, res) => {
      requests++
      // Answers the first request of each connection and breaks off at the second.
      const socket = req.socket as net.Socket & { used?: boolean }
      if (socket.used) return void socket.destroy()
      socket.used = true
      res.end('ok')
    }),
  )
  const hub = await startHub(t, service({ address }))
  assert.equal((await ask(hub.url)).status, 200)
  assert.equal((await ask(hub.url)).body.toString(), 'ok')
  assert.equal(requests, 3)
  // A request that may not be done twice is not.
  const other = await startHub(t, service({ address }))
  assert.equal((await ask(other.url)).status, 200)
  assert.equal((await ask(other.url, { method: 'PATCH' })).status, 502)
  assert.equal(requests, 5)
})

test('an upstream that always closes draws 502, not a retry', async (t) => {
  let connections = 0
  const server = net.createServer((socket) => {
    connections++
    socket.once('data', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as net.AddressInfo
  const hub = await startHub(t, service({ address: `127.0.0.1:${port}` }))
  assert.equal((await ask(hub.url)).status, 502)
  assert.equal(connections, 1)
})
