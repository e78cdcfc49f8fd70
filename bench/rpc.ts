// Unary calls per second of the gRPC client over one link, beside node:http2, for the choice in
// mailbox/rpc/channel.ts. Client and server are two processes, the link is TCP on loopback; the server is our
// own HTTP/2, so neither client is held up by it.
//
//     node --import tsx bench/rpc.ts [seconds] [host:port of another echo server for /t.T/Echo]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { runHttp2 } from '../mailbox/http2/link-driver.ts'
import type { Http2Stream, StreamEvents } from '../src/http2/stream.ts'
import { openChannel, type Channel } from '../mailbox/rpc/channel.ts'
import { dialLink } from '../mailbox/rpc/dial.ts'
import { socketLink } from '../mailbox/rpc/socket-link.ts'

const PATH = '/t.T/Echo'
const MACAROON = '0123456789abcdef'.repeat(128)
const REQUEST = new TextEncoder().encode('hello')
const CALLERS = [1, 64]

type Call = () => Promise<unknown>

/** Answers each request with its body. */
function echo(stream: Http2Stream): StreamEvents {
  return {
    headers: () =>
      stream.respond([
        [':status', '200'],
        ['content-type', 'application/grpc'],
      ]),
    data(bytes, end) {
      stream.consume(bytes.length)
      stream.send(bytes, false)
      if (end) stream.finish([['grpc-status', '0']])
    },
    drained() {},
    failed() {},
  }
}

async function serve(): Promise<void> {
  const server = net.createServer((socket) => runHttp2(socketLink(socket, 'client'), echo))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  process.send?.(typeof address === 'object' ? address?.port : undefined)
}

const own =
  (channel: Channel): Call =>
  () =>
    channel.unary(PATH, REQUEST)

function nodeHttp2(session: http2.ClientHttp2Session): Call {
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, REQUEST.length]), REQUEST])
  const headers = {
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    macaroon: MACAROON,
  }
  return () =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const stream = session.request(headers)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => resolve(Buffer.concat(chunks)))
      stream.on('error', reject)
      stream.end(body)
    })
}

async function measure(name: string, call: Call, seconds: number): Promise<void> {
  for (const callers of CALLERS) {
    const cpu = process.cpuUsage()
    const end = performance.now() + seconds * 1000
    let calls = 0
    const caller = async () => {
      for (; performance.now() < end; calls++) await call()
    }
    await Promise.all(Array.from({ length: callers }, caller))
    const { user, system } = process.cpuUsage(cpu)
    const each = ((user + system) / calls).toFixed(1)
    console.log(
      `${name}\t${callers} at once\t${Math.round(calls / seconds)} calls/s\t${each} µs of processor each`,
    )
  }
}

async function main(): Promise<void> {
  const [seconds = '3', given] = process.argv.slice(2)
  const child = given ? undefined : fork(import.meta.filename, ['serve'])
  const [port] = child
    ? ((await once(child, 'message')) as [number])
    : [Number(given?.split(':')[1])]
  const host = given?.split(':')[0] ?? '127.0.0.1'
  const channel = openChannel(dialLink({ host, port }), { metadata: [['macaroon', MACAROON]] })
  await measure('own HTTP/2', own(channel), Number(seconds))
  await channel.close()
  const session = http2.connect(`http://${host}:${port}`)
  await measure('node:http2', nodeHttp2(session), Number(seconds))
  session.close()
  child?.kill()
}

await (process.argv[2] === 'serve' ? serve() : main())
