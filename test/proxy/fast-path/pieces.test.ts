/** However the bytes of a connection are cut, each request has its answer, in order, and its whole body upstream. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from '../../fast-check.ts'
import { listenOn, service, startHub } from '../forward/forwarding.ts'

const hash = (body: Buffer | string) => createHash('sha256').update(body).digest('hex')

interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly body: string
  readonly chunked: boolean
}

const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  body: fc.oneof(
    fc.constant(''),
    fc.string({ maxLength: 40 }),
    fc.integer({ min: 1, max: 120_000 }).map((length) => 'z'.repeat(length)),
  ),
  chunked: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
})

function bytesOf({ method, body, chunked }: Asked, last: boolean): Buffer {
  const size = Buffer.byteLength(body)
  let head = `${method} /x HTTP/1.1\r\nHost: h\r\n${last ? 'Connection: close\r\n' : ''}`
  if (method === 'GET') return Buffer.from(`${head}\r\n`)
  if (!chunked) return Buffer.from(`${head}Content-Length: ${size}\r\n\r\n${body}`)
  head += 'Transfer-Encoding: chunked\r\n\r\n'
  return Buffer.from(`${head}${size > 0 ? `${size.toString(16)}\r\n${body}\r\n` : ''}0\r\n\r\n`)
}

test('all are answered in order, wherever the bytes are cut', async (t) => {
  const upstream = http.createServer((req, res) => {
    const read = createHash('sha256')
    req.on('data', (chunk: Buffer) => read.update(chunk))
    req.on('end', () => res.end(`<${req.method} ${read.digest('hex')}>`))
  })
  const address = await listenOn(t, upstream)
  const { port } = await startHub(t, service({ address }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(asked, { minLength: 1, maxLength: 5 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      async (requests, cuts) => {
        const bytes = Buffer.concat(
          requests.map((one, i) => bytesOf(one, i === requests.length - 1)),
        )
        const socket = net.connect(port, '127.0.0.1').setNoDelay()
        let text = ''
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
        const closed = once(socket, 'close')
        let at = 0
        for (const cut of [
          ...cuts.map((part) => Math.floor(part * bytes.length)),
          bytes.length,
        ].sort((a, b) => a - b)) {
          socket.write(bytes.subarray(at, cut))
          at = cut
          for (let i = 0; i < 5; i++) await turn()
        }
        await closed
        const expected = requests.map(({ method, body }) => {
          return `<${method} ${hash(method === 'GET' ? '' : body)}>`
        })
        assert.deepEqual(text.match(/<\w+ \w{64}>/g), expected)
      },
    ),
    { numRuns: 150 },
  )
})
