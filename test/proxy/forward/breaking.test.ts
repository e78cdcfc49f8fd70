/** What happens when either end goes away: the other learns of it, and no answer looks whole that is not. */
import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import { ask, deferred, listenOn, service, startHub } from './forwarding.ts'
import { moment } from '../../moment.ts'

async function listenRaw(t: TestContext, serve: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

const HEADS = {
  length: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf',
  chunks: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n',
}

for (const [framing, text] of Object.entries(HEADS)) {
  for (const method of ['GET', 'POST']) {
    test(`an upstream that breaks off a ${method} answer framed by ${framing}`, async (t) => {
      const address = await listenRaw(t, (socket) => {
        socket.once('data', () => socket.end(text))
      })
      const hub = await startHub(t, service({ address }))
      const body = method === 'POST' ? 'x' : undefined
      const next = hub.next()
      await assert.rejects(ask(hub.url, { method, ...(body ? { body } : {}) }), /aborted|hang up/)
      const outcome = await next
      assert.ok(outcome.name === 'failed' && outcome.started)
      assert.equal(outcome.error.code, 'ERR_UPSTREAM_RESPONSE')
    })
  }
}

for (const version of ['1.0', '1.1']) {
  test(`a body that ends with its connection is whole after FIN, and broken after RST, HTTP/${version}`, async (t) => {
    let reset = false
    const address = await listenRaw(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\nsome', () => {
          if (!reset) return void socket.end()
          void moment().then(() => socket.resetAndDestroy())
        })
      })
    })
    const hub = await startHub(t, service({ address }))
    const once = () =>
      new Promise<{ text: string; error: string }>((resolve) => {
        const socket = net.connect(hub.port, '127.0.0.1')
        let text = ''
        let error = ''
        socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
        socket.on('error', (reason: NodeJS.ErrnoException) => (error = reason.code ?? ''))
        socket.on('close', () => resolve({ text, error }))
        socket.write(`GET / HTTP/${version}\r\nhost: a\r\nconnection: close\r\n\r\n`)
      })
    const first = hub.next()
    const second = hub.next()
    const whole = await once()
    assert.match(whole.text, version === '1.0' ? /\r\n\r\nsome$/ : /4\r\nsome\r\n0\r\n\r\n$/)
    assert.equal(whole.error, '')
    reset = true
    const broken = await once()
    if (version === '1.0') assert.equal(broken.error, 'ECONNRESET')
    else assert.doesNotMatch(broken.text, /0\r\n\r\n$/)
    assert.deepEqual([(await first).name, (await second).name], ['served', 'failed'])
  })
}

for (const method of ['GET', 'POST']) {
  test(`a client that leaves during a ${method} answer: the upstream's connection closes`, async (t) => {
    const closed = deferred()
    const address = await listenOn(
      t,
      http.createServer((req, res) => {
        req.resume()
        res.writeHead(200)
        res.write('begun')
        res.on('close', () => closed.resolve())
      }),
    )
    const hub = await startHub(t, service({ address }))
    const req = http.request(hub.url, { method }, (res) => {
      res.on('error', () => {})
      res.once('data', () => req.destroy())
    })
    req.on('error', () => {})
    const outcome = hub.next()
    req.end(method === 'POST' ? 'x' : undefined)
    await closed.promise
    assert.deepEqual(await outcome, { name: 'abandoned' })
  })
}

test('a client that leaves in the middle of its upload: the upstream sees it broken', async (t) => {
  const aborted = deferred<boolean>()
  const started = deferred()
  const address = await listenOn(
    t,
    http.createServer((req) => {
      req.once('data', () => started.resolve())
      req.on('error', () => {})
      req.on('close', () => aborted.resolve(req.complete))
    }),
  )
  const hub = await startHub(t, service({ address }))
  for (const headers of [{ 'content-length': '100' }, { 'transfer-encoding': 'chunked' }]) {
    const req = http.request(hub.url, { method: 'POST', headers })
    req.on('error', () => {})
    req.write('part')
    await started.promise
    req.destroy()
    assert.equal(await aborted.promise, false)
  }
})

test('a client that leaves while the answer is awaited, before the upstream has said a word', async (t) => {
  const arrived = deferred()
  const closed = deferred()
  const address = await listenRaw(t, (socket) => {
    socket.once('data', () => arrived.resolve())
    socket.once('close', () => closed.resolve())
  })
  const hub = await startHub(t, service({ address }))
  const req = http.get(hub.url, { agent: false })
  req.on('error', () => {})
  await arrived.promise
  req.destroy()
  await closed.promise
})

test('an early answer ends the upload and reaches the client', async (t) => {
  const address = await listenOn(
    t,
    http.createServer((_req, res) => {
      res.writeHead(413, { connection: 'close' }).end('too much')
    }),
  )
  const hub = await startHub(t, service({ address }))
  const status = await new Promise((resolve, reject) => {
    const req = http.request(hub.url, { method: 'POST', agent: false }, (res) => {
      res.resume().on('end', () => {
        resolve(res.statusCode)
        req.destroy()
      })
    })
    req.on('error', reject)
    req.write('part')
  })
  assert.equal(status, 413)
})

test('answers that are no HTTP draw 502 and tell the client no address', async (t) => {
  for (const text of [
    'SSH-2.0-OpenSSH_9.6\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd',
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`,
  ]) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const address = await listenRaw(t, (socket) => socket.once('data', () => socket.end(text)))
      const hub = await startHub(t, service({ address }))
      const answer = await ask(hub.url, { method, ...(method === 'POST' ? { body: 'x' } : {}) })
      assert.equal(answer.status, 502, `${method} ${text.slice(0, 60)}`)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.doesNotMatch(answer.body.toString(), /127\.0\.0\.1/)
    }
  }
})

test('an upstream that is not there: 502, for gRPC status 14', async (t) => {
  const hub = await startHub(t, service({ address: '127.0.0.1:1' }))
  const answer = await ask(hub.url)
  const { code } = JSON.parse(answer.body.toString()) as { code: string }
  assert.deepEqual([answer.status, code], [502, 'ERR_UPSTREAM_UNREACHABLE'])
  const grpc = await ask(hub.url, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc+proto' },
    body: 'x',
  })
  assert.equal(grpc.status, 200)
  assert.equal(grpc.headers['grpc-status'], '14')
  assert.match(String(grpc.headers['grpc-message']), /cannot be reached/)
})
