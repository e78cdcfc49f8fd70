/** Bodies pass piece by piece: a slow end slows the other, and the forwarder holds little meanwhile. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import { deferred, listenOn, service, startHub, TIMEOUTS } from './forwarding.ts'
import { moment } from '../../moment.ts'

const MIB = 1_024 * 1_024
const TOTAL = 64 * MIB
const PIECE = Buffer.alloc(64 * 1_024, 1)
/** What may be on the way: windows and buffers of sockets, all of which a body of 64 MiB would overrun. */
const ON_THE_WAY = 24 * MIB

/** Writes as fast as it is taken; tells how much was. */
function pour(sink: NodeJS.WritableStream): { written: number } {
  const state = { written: 0 }
  const more = () => {
    while (state.written < TOTAL) {
      state.written += PIECE.length
      if (!sink.write(PIECE)) return void sink.once('drain', more)
    }
    sink.end()
  }
  more()
  return state
}

async function stillAt(state: { written: number }): Promise<number> {
  for (let last = -1; last !== state.written;) {
    last = state.written
    await moment()
  }
  return state.written
}

function serverOf(protocol: 'http' | 'h2c', serve: http.RequestListener) {
  // The compatible request and response of node:http2 do as those of node:http here.
  const handler = serve as unknown as (
    q: http2.Http2ServerRequest,
    s: http2.Http2ServerResponse,
  ) => void
  return protocol === 'http' ? http.createServer(serve) : http2.createServer(handler)
}

for (const protocol of ['http', 'h2c'] as const) {
  test(`64 MiB down from ${protocol}: a client that does not read stops the upstream`, async (t) => {
    let state = { written: 0 }
    const server = serverOf(protocol, (_req, res) => {
      res.on('error', () => {})
      state = pour(res)
    })
    const address = await listenOn(t, server)
    const hub = await startHub(t, service({ protocol, address }))
    const req = http.get(hub.url, { agent: false })
    const [res] = (await once(req, 'response')) as [http.IncomingMessage]
    assert.ok((await stillAt(state)) < ON_THE_WAY, `${state.written} bytes on the way`)
    let got = 0
    for await (const chunk of res) got += (chunk as Buffer).length
    assert.equal(got, TOTAL)
  })

  test(`64 MiB up to ${protocol}: an upstream that does not read stops the client`, async (t) => {
    const arrived = deferred<http.IncomingMessage>()
    const server = serverOf(protocol, (req, res) => {
      arrived.resolve(req)
      req.on('end', () => res.end('thanks'))
    })
    const address = await listenOn(t, server)
    const hub = await startHub(t, service({ protocol, address }))
    const req = http.request(hub.url, { method: 'POST', agent: false })
    const answered = once(req, 'response')
    const state = pour(req)
    const body = await arrived.promise
    assert.ok((await stillAt(state)) < ON_THE_WAY, `${state.written} bytes on the way`)
    let got = 0
    body.on('data', (chunk: Buffer) => (got += chunk.length))
    const [res] = (await answered) as [http.IncomingMessage]
    assert.equal(got, TOTAL)
    res.resume()
  })
}

test('Expect: the body waits for the upstream, and a refusal spares it', async (t) => {
  const server = http.createServer((req, res) => req.resume().on('end', () => res.end('taken')))
  server.on('checkContinue', (req: http.IncomingMessage, res: http.ServerResponse) => {
    if (req.url === '/no') res.writeHead(417).end()
    else {
      res.writeContinue()
      server.emit('request', req, res)
    }
  })
  const address = await listenOn(t, server)
  const hub = await startHub(t, service({ address }))
  const headers = { expect: '100-continue', 'content-length': '4' }
  for (const [path, status, continued, connection] of [
    ['/yes', 200, true, 'keep-alive'],
    ['/no', 417, false, 'close'],
  ] as const) {
    const agent = new http.Agent({ keepAlive: true })
    const req = http.request(hub.url + path, { method: 'PUT', headers, agent })
    let asked = false
    req.on('continue', () => {
      asked = true
      req.end('body')
    })
    req.flushHeaders()
    const [res] = (await once(req, 'response')) as [http.IncomingMessage]
    res.resume()
    assert.deepEqual(
      [res.statusCode, asked, res.headers.connection],
      [status, continued, connection],
    )
    agent.destroy()
  }
})

for (const [what, serve, status, code] of [
  ['no answer', () => {}, 504, 'ERR_UPSTREAM_TIMEOUT'],
  ['a body that stands still', (res: http.ServerResponse) => void res.write('half'), 200, ''],
] as const) {
  for (const method of ['GET', 'POST']) {
    test(`${what} for too long to a ${method}`, async (t) => {
      const clock = new ManualClock()
      const arrived = deferred()
      const address = await listenOn(
        t,
        http.createServer((req, res) => {
          req.resume()
          serve(res)
          arrived.resolve()
        }),
      )
      const timeouts = { ...TIMEOUTS, headerMs: 4_000, bodyMs: 4_000 }
      const hub = await startHub(t, service({ address, timeouts }), { clock })
      const outcome = hub.next()
      const req = http.request(hub.url, { method, agent: false }).on('error', () => {})
      req.end(method === 'POST' ? 'x' : undefined)
      const response = once(req, 'response') as Promise<[http.IncomingMessage]>
      await arrived.promise
      await moment()
      for (let ms = 0; ms < 3_500; ms += 500) clock.advance(500)
      assert.equal(hub.outcomes.length, 0)
      for (let ms = 0; ms < 2_000; ms += 500) clock.advance(500)
      const [res] = await response
      assert.equal(res.statusCode, status)
      res.on('error', () => {}).resume()
      const got = await outcome
      assert.ok(got.name === 'failed' && got.error.code === 'ERR_UPSTREAM_TIMEOUT')
      assert.equal(got.started, code === '')
    })
  }
}

test('a connection that is not made in time', async (t) => {
  const clock = new ManualClock()
  // A server whose queue of connections is full answers nothing: 192.0.2.0/24 is nobody's (RFC 5737).
  const hub = await startHub(t, service({ address: '192.0.2.1:9' }), { clock })
  const response = once(http.get(hub.url, { agent: false }), 'response')
  await moment()
  clock.advance(TIMEOUTS.connectMs)
  const [res] = (await response) as [http.IncomingMessage]
  // Machines without a way there say so at once.
  assert.ok(res.statusCode === 504 || res.statusCode === 502)
  res.resume()
})

test('a client that takes nothing for the write timeout is cut, one that is slow is not', async (t) => {
  const clock = new ManualClock()
  const closed = deferred()
  const pouring = deferred<{ written: number }>()
  const address = await listenOn(
    t,
    http.createServer((_req, res) => {
      res.on('close', () => closed.resolve())
      pouring.resolve(pour(res))
    }),
  )
  const hub = await startHub(t, service({ address }), { clock, writeTimeoutMs: 4_000 })
  const outcome = hub.next()
  const socket = net.connect(hub.port, '127.0.0.1').on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(socket, 'readable')
  await stillAt(await pouring.promise)
  for (let ms = 0; ms < 5_500; ms += 500) clock.advance(500)
  assert.deepEqual(await outcome, { name: 'abandoned' })
  await closed.promise
  socket.destroy()
})

// Each tries to have one message read as two, or the other way round (RFC 9112 §11.2).
const SMUGGLING: readonly (readonly [what: string, head: string, body: string])[] = [
  [
    'length and chunks',
    'Content-Length: 4\r\nTransfer-Encoding: chunked',
    '0\r\n\r\nGET /x HTTP/1.1\r\n',
  ],
  ['two lengths', 'Content-Length: 4\r\nContent-Length: 5', 'abcde'],
  ['a list of lengths', 'Content-Length: 4, 5', 'abcde'],
  ['a signed length', 'Content-Length: +4', 'abcd'],
  ['chunks that are not last', 'Transfer-Encoding: chunked, identity', '0\r\n\r\n'],
  ['a hidden chunked', 'Transfer-Encoding: \x0bchunked', '0\r\n\r\n'],
  ['a blank before the colon', 'Content-Length : 4', 'abcd'],
  ['a folded line', 'X: a\r\n Transfer-Encoding: chunked', '0\r\n\r\n'],
  ['a bare CR', 'X: a\rTransfer-Encoding: chunked', '0\r\n\r\n'],
  ['a chunk length in another base', 'Transfer-Encoding: chunked', '0x4\r\nabcd\r\n0\r\n\r\n'],
]
for (const [what, head, body] of SMUGGLING) {
  test(`smuggling by ${what} is refused or forwarded as one message`, async (t) => {
    let requests = 0
    const address = await listenOn(
      t,
      http.createServer((req, res) => {
        requests++
        req
          .on('error', () => {})
          .resume()
          .on('end', () => res.end())
      }),
    )
    const hub = await startHub(t, service({ address }))
    const socket = net.connect(hub.port, '127.0.0.1').on('error', () => {})
    socket.end(`POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${body}`)
    let text = ''
    for await (const chunk of socket.setEncoding('latin1')) text += String(chunk)
    assert.match(text, /^(HTTP\/1.1 400|$)/)
    assert.ok(requests <= 1)
    assert.ok(hub.outcomes.every(({ name }) => name === 'abandoned'))
  })
}
