import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import WebSocket, { WebSocketServer } from 'ws'
import { newPair } from '../../listener/serving.ts'
import { deferred, listenOn, service, startHub } from './forwarding.ts'

async function startEcho(t: TestContext, server: http.Server): Promise<string> {
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, req) => {
    socket.send(`at ${req.url} for ${String(req.headers['x-pinhole-service'])}`)
    socket.on('message', (data: Buffer) => socket.send(data))
  })
  t.after(() => sockets.clients.forEach((socket) => socket.terminate()))
  return listenOn(t, server)
}

for (const secure of [false, true]) {
  test(`WebSocket, ${secure ? 'TLS' : 'cleartext'} at both ends`, async (t) => {
    const pair = secure ? await newPair() : undefined
    const address = await startEcho(t, pair ? https.createServer(pair) : http.createServer())
    const upstream = { address, certificate: pair?.cert }
    const hub = await startHub(
      t,
      service({ ...upstream, protocol: secure ? 'https' : 'http' }, { rewritePrefix: '/v1' }),
      pair ? { tls: pair } : {},
    )
    const client = new WebSocket(`${hub.url.replace('http', 'ws')}/chat`, {
      rejectUnauthorized: false,
    })
    const [hello] = (await once(client, 'message')) as [Buffer]
    assert.equal(hello.toString(), 'at /v1/chat for shop')
    const big = Buffer.alloc(1_000_000, 7)
    client.send(big)
    const [back] = (await once(client, 'message')) as [Buffer]
    assert.ok(big.equals(back))
    const outcome = hub.next()
    client.close(1000)
    await once(client, 'close')
    assert.deepEqual(await outcome, { name: 'served', status: 101 })
  })
}

test('an upstream that refuses the upgrade is heard', async (t) => {
  const address = await listenOn(
    t,
    http.createServer().on('upgrade', (_req, socket) => {
      socket.end('HTTP/1.1 403 No\r\ncontent-length: 4\r\nx-why: because\r\n\r\nnope')
    }),
  )
  const hub = await startHub(t, service({ address }))
  const client = new WebSocket(hub.url.replace('http', 'ws'))
  const [, answer] = (await once(client, 'unexpected-response')) as [unknown, http.IncomingMessage]
  assert.deepEqual([answer.statusCode, answer.headers['x-why']], [403, 'because'])
  assert.equal(String(await once(answer, 'data')), 'nope')
  client.on('error', () => {}).terminate()
})

test('an upstream that is away draws 502; an upgrade to h2c is answered as a plain request', async (t) => {
  const gone = await startHub(t, service({ address: '127.0.0.1:1' }))
  const client = new WebSocket(gone.url.replace('http', 'ws'))
  const [, answer] = (await once(client, 'unexpected-response')) as [unknown, http.IncomingMessage]
  assert.equal(answer.statusCode, 502)
  client.on('error', () => {}).terminate()

  const address = await listenOn(
    t,
    http.createServer((req, res) => res.end(String(req.headers.upgrade))),
  )
  const hub = await startHub(t, service({ address }))
  const socket = net.connect(hub.port, '127.0.0.1')
  socket.write(
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n',
  )
  socket.write('http2-settings: AAMAAABkAAQAAP__\r\n\r\n')
  let text = ''
  for await (const chunk of socket.setEncoding('latin1')) text += String(chunk)
  assert.match(text, /^HTTP\/1.1 200 OK\r\n[^]*undefined/)
})

for (const protocol of ['h2c', 'other']) {
  test(`a body that comes with an upgrade to ${protocol} arrives whole`, async (t) => {
    const seen = http.createServer((req, res) => {
      let body = ''
      req.setEncoding('latin1').on('data', (piece: string) => (body += piece))
      req.on('end', () => res.end(`<${body}|${String(req.trailers['x-sum'])}>`))
    })
    const hub = await startHub(t, service({ address: await listenOn(t, seen) }))
    const post = async (fields: string, ...pieces: readonly string[]) => {
      const socket = net.connect({ port: hub.port, host: '127.0.0.1', noDelay: true })
      const head = `POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: ${protocol}`
      socket.write(`${head}\r\n${fields}\r\n\r\n${pieces[0] ?? ''}`)
      let text = ''
      socket.setEncoding('latin1').on('data', (piece: string) => (text += piece))
      for (const piece of pieces.slice(1)) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        socket.write(piece)
      }
      await once(socket, 'close')
      return /^HTTP\/1.1 (?:100[^]*HTTP\/1.1 )?(\d+)[^]*?(<.*>)?$/.exec(text)?.slice(1)
    }
    assert.deepEqual(await post('content-length: 5', 'hello, more'), ['200', '<hello|undefined>'])
    assert.deepEqual(await post('content-length: 5', '', 'hel', 'lo'), ['200', '<hello|undefined>'])
    const chunks = ['3\r\nhel\r\n2', '\r\nlo\r\n0\r\nx-sum: 7\r\n\r\n']
    assert.deepEqual(await post('transfer-encoding: chunked', ...chunks), ['200', '<hello|7>'])
    const asks = 'content-length: 2\r\nexpect: 100-continue'
    assert.deepEqual(await post(asks, '', 'ab'), ['200', '<ab|undefined>'])
    assert.equal(await post('transfer-encoding: chunked', 'zz\r\n'), undefined)
    assert.deepEqual((await post('transfer-encoding: gzip', 'x'))?.[0], '400')
  })
}

for (const end of ['client', 'upstream'] as const) {
  test(`after 101, a ${end} that breaks takes the other end with it`, async (t) => {
    const upstream = deferred<net.Socket>()
    const address = await listenOn(
      t,
      http.createServer().on('upgrade', (_req, socket: net.Socket) => {
        socket.on('error', () => {})
        socket.write('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\nearly')
        upstream.resolve(socket)
      }),
    )
    const hub = await startHub(t, service({ address }))
    const client = net.connect(hub.port, '127.0.0.1').on('error', () => {})
    client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\nhead')
    const far = await upstream.promise
    const [got] = (await once(far, 'data')) as [Buffer]
    assert.equal(got.toString(), 'head')
    let text = ''
    await new Promise<void>((resolve) => {
      client.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.includes('early')) resolve()
      })
    })
    assert.match(text, /^HTTP\/1.1 101 Go\r\n/)
    const [near, other] = end === 'client' ? [client, far] : [far, client]
    // Node's servers leave a socket half open whose other end is gone.
    const gone = new Promise((resolve) => other.once('end', resolve).once('close', resolve))
    other.resume()
    near.resetAndDestroy()
    await gone
    other.destroy()
  })
}
