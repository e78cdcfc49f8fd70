/** Our reading of answers beside that of Node's own parser, and what is refused on top. */
import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import test from 'node:test'
import fc from '../../fast-check.ts'
import type { Head } from '../../../proxy/forward/http1-head.ts'
import { AnswerParser } from '../../../proxy/forward/http1-parser.ts'

interface Read {
  readonly status: number
  readonly statusText: string
  readonly raw: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
}

/** What we make of `bytes`, cut into pieces of `sizes`; a text is why they were refused. */
function ours(bytes: Buffer, method: string, sizes: readonly number[] = []): Read | string {
  let head: Head | undefined
  let trailers: string[] | undefined
  const pieces: Buffer[] = []
  const parser = new AnswerParser({
    head: (read) => (head = read),
    body: (piece) => void pieces.push(Buffer.from(piece)),
    end: (read) => (trailers = read),
  })
  parser.expect(method)
  try {
    let at = 0
    for (const size of sizes) {
      parser.read(bytes.subarray(at, at + size))
      at += size
    }
    parser.read(bytes.subarray(at))
    parser.finish()
  } catch (reason) {
    return (reason as Error).message
  }
  if (!head || !trailers) return 'not whole'
  const { status, statusText, raw } = head
  return { status, statusText, raw, body: Buffer.concat(pieces).toString('latin1'), trailers }
}

/** What Node's client makes of the same, from a server that sends it and ends. */
async function nodes(bytes: Buffer, method: string): Promise<Read | string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const read = await new Promise<Read | string>((resolve) => {
    const req = http.request({ port, method, agent: false }, (res) => {
      const pieces: Buffer[] = []
      res.on('data', (piece: Buffer) => pieces.push(piece))
      res.on('error', (reason) => resolve(reason.message))
      res.on('end', () => {
        const { statusCode: status = 0, statusMessage = '', rawHeaders, rawTrailers } = res
        const body = Buffer.concat(pieces).toString('latin1')
        resolve({ status, statusText: statusMessage, raw: rawHeaders, body, trailers: rawTrailers })
      })
    })
    req.on('upgrade', (_res, socket) => {
      socket.destroy()
      resolve('upgraded')
    })
    req.on('error', (reason) => resolve(reason.message))
    req.end()
  })
  server.close()
  return read
}

const name = fc.constantFrom('X-A', 'Set-Cookie', 'Content-Type', 'Date', 'x!y', 'Connection')
const value = fc.constantFrom('a', '', ' b c ', 'close', 'é, "quoted"', '\tx', 'keep-alive')
const field = fc.tuple(name, value).map(([key, text]) => `${key}:${text}\r\n`)
const body = fc.string({ maxLength: 40 })
const chunk = fc
  .tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.constantFrom('', ';a', ';a=b'))
  .map(([text, extension]) => {
    const bytes = Buffer.from(text)
    return `${bytes.length.toString(16)}${extension}\r\n${bytes.toString('latin1')}\r\n`
  })
const framed = fc.oneof(
  body.map((text) => {
    const bytes = Buffer.from(text)
    return [`Content-Length: ${bytes.length}\r\n`, bytes.toString('latin1')]
  }),
  fc
    .tuple(fc.array(chunk, { maxLength: 4 }), fc.array(field, { maxLength: 2 }))
    .map(([chunks, trailers]) => [
      'Transfer-Encoding: chunked\r\n',
      `${chunks.join('')}0\r\n${trailers.join('')}\r\n`,
    ]),
  body.map((text) => ['', Buffer.from(text).toString('latin1')]),
)
const status = fc.constantFrom('200 OK', '204 No Content', '304 ', '404', '500 Oh Dear', '299 x  y')
const answer = fc
  .tuple(status, fc.array(field, { maxLength: 4 }), framed)
  .map(([line, fields, [framing = '', rest = '']]) => {
    const hasBody = !/^(204|304)/.test(line)
    const head = `HTTP/1.1 ${line}\r\n${fields.join('')}${hasBody ? framing : ''}\r\n`
    return Buffer.from(head + (hasBody ? rest : ''), 'latin1')
  })

test('well-formed answers read as Node reads them', async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (bytes) => {
      assert.deepEqual(ours(bytes, 'GET'), await nodes(bytes, 'GET'))
    }),
    { numRuns: 150 },
  )
})

test('it makes no difference where the bytes are cut', () => {
  fc.assert(
    fc.property(answer, fc.array(fc.integer({ min: 0, max: 20 })), (bytes, sizes) => {
      assert.deepEqual(ours(bytes, 'GET', sizes), ours(bytes, 'GET'))
    }),
    { numRuns: 500 },
  )
})

/** A mark that may change what a message is, put in somewhere. */
const mark = fc.constantFrom('\r', '\n', ' ', '\t', '\0', ':', ',', ';', '\x0b', '0', 'g', '\x80')

test('what we take of damaged answers reads as Node reads it', async () => {
  await fc.assert(
    fc.asyncProperty(answer, mark, fc.nat(), fc.boolean(), async (bytes, text, at, cut) => {
      const place = at % bytes.length
      const rest = bytes.subarray(place + (cut ? 1 : 0))
      const damaged = Buffer.concat([bytes.subarray(0, place), Buffer.from(text, 'latin1'), rest])
      const read = ours(damaged, 'GET')
      // Ours may refuse more, never read otherwise.
      if (typeof read === 'object') assert.deepEqual(read, await nodes(damaged, 'GET'))
    }),
    { numRuns: 300 },
  )
})

const OK = 'HTTP/1.1 200 OK\r\n'
for (const [what, text] of [
  ['no status line', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a folded field', `${OK}x: a\r\n b\r\n\r\n`],
  ['a blank before the colon', `${OK}content-length : 1\r\n\r\na`],
  ['a bare line feed', `${OK}x: a\ny: b\r\n\r\n`],
  ['a bare carriage return', `${OK}x: a\ry: b\r\n\r\n`],
  ['a NUL', `${OK}x: a\0b\r\n\r\n`],
  ['two lengths, though they are the same', `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\na`],
  ['a list of lengths', `${OK}content-length: 1, 1\r\n\r\na`],
  ['a signed length', `${OK}content-length: +1\r\n\r\na`],
  ['a tab behind its length', `${OK}content-length: 1\t\r\n\r\na`],
  ['a tab behind its coding', `${OK}transfer-encoding: chunked\t\r\n\r\n0\r\n\r\n`],
  ['an empty length', `${OK}content-length:\r\n\r\n`],
  ['length and chunks', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['another coding', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['a hidden coding', `${OK}transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
  ['chunks of HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk that is no number', `${OK}transfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`],
  ['a chunk beyond all numbers', `${OK}transfer-encoding: chunked\r\n\r\n${'f'.repeat(14)}\r\n`],
  ['a chunk that is longer', `${OK}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
  ['a line without end', `${OK}transfer-encoding: chunked\r\n\r\n1;${'a'.repeat(2_000)}`],
  ['a head without end', `${OK}x: ${'a'.repeat(20_000)}`],
  ['trailers without end', `${OK}transfer-encoding: chunked\r\n\r\n0\r\nx: ${'a'.repeat(20_000)}`],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
  ['more than its length', `${OK}content-length: 1\r\n\r\nab`],
  ['less than its length', `${OK}content-length: 2\r\n\r\na`],
  ['no last chunk', `${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\n`],
] as const) {
  test(`an answer with ${what} is refused`, () => {
    const read = ours(Buffer.from(text, 'latin1'), 'GET')
    assert.equal(typeof read, 'string', JSON.stringify(read))
  })
}
