/** One request on a connection of its own, and everything that came back. */
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { distinct, frame } from './backends.ts'

/** What is sent. Headers are lines, in order. */
export type Request =
  | {
      readonly by: 'http1'
      readonly method: string
      readonly target: string
      readonly headers: readonly (readonly [string, string])[]
      readonly body?: string | Buffer
      /** Sent with chunked framing, then these trailers. */
      readonly trailers?: Readonly<Record<string, string>>
      /** Address that it comes from. */
      readonly source?: string
    }
  | {
      readonly by: 'http2'
      readonly method: string
      readonly target: string
      readonly headers: readonly (readonly [string, string])[]
      readonly body?: string
    }
  | {
      readonly by: 'grpc'
      readonly target: string
      readonly metadata: readonly (readonly [string, string])[]
      readonly messages: readonly string[]
    }
  | { readonly by: 'raw'; readonly bytes: string }
  | {
      readonly by: 'upgrade'
      readonly target: string
      readonly headers: readonly (readonly [string, string])[]
    }

/** What came back. */
export interface Answer {
  readonly status: number
  /** By lower-case name, all lines. */
  readonly headers: Record<string, string[]>
  readonly body: string
  readonly trailers: Record<string, string[]>
  /** Status codes of interim answers. */
  readonly interim: readonly number[]
  /** How it ended, when not whole. */
  readonly broken?: string
}

const TIMEOUT_MS = 8_000

/** Sends `request` to 127.0.0.1:`port` in cleartext. Never rejects: what went wrong is part of the answer. */
export function exchange(port: number, request: Request): Promise<Answer> {
  switch (request.by) {
    case 'http1':
    case 'upgrade':
      return http1(port, request)
    case 'http2':
    case 'grpc':
      return overHttp2(port, request)
    case 'raw':
      return raw(port, request.bytes)
  }
}

interface Draft {
  status: number
  headers: Record<string, string[]>
  chunks: Buffer[]
  trailers: Record<string, string[]>
  interim: number[]
  broken?: string
}

const draft = (): Draft => ({ status: 0, headers: {}, chunks: [], trailers: {}, interim: [] })

const whole = ({ chunks, ...rest }: Draft): Answer => ({
  ...rest,
  body: Buffer.concat(chunks).toString('latin1'),
})

function http1(
  port: number,
  request: Extract<Request, { by: 'http1' | 'upgrade' }>,
): Promise<Answer> {
  return new Promise((resolve) => {
    const got = draft()
    const finish = (broken?: string): void => {
      if (broken !== undefined) got.broken ??= broken
      sent.destroy()
      resolve(whole(got))
    }
    const plain = request.by === 'http1' ? request : undefined
    const lines = request.headers.flat()
    if (plain?.trailers)
      lines.push('Transfer-Encoding', 'chunked', 'Trailer', Object.keys(plain.trailers).join(', '))
    else if (plain?.body !== undefined)
      lines.push('Content-Length', String(Buffer.byteLength(plain.body)))
    const sent = http.request({
      host: '127.0.0.1',
      port,
      agent: false,
      method: plain?.method ?? 'GET',
      path: request.target,
      headers: lines,
      setHost: false,
      ...(plain?.source === undefined ? {} : { localAddress: plain.source }),
      timeout: TIMEOUT_MS,
    })
    sent.on('error', (reason) => finish(`error ${(reason as NodeJS.ErrnoException).code ?? ''}`))
    sent.on('timeout', () => finish('timeout'))
    sent.on('information', ({ statusCode }) => got.interim.push(statusCode))
    sent.on('upgrade', (response, socket: Duplex) => {
      got.status = response.statusCode ?? 0
      got.headers = distinct(response.rawHeaders)
      socket.destroy()
      finish()
    })
    sent.on('response', (response) => {
      got.status = response.statusCode ?? 0
      got.headers = distinct(response.rawHeaders)
      response.on('data', (chunk: Buffer) => got.chunks.push(chunk))
      response.on('error', () => finish('cut'))
      response.on('end', () => {
        got.trailers = distinct(response.rawTrailers)
        finish()
      })
    })
    const send = (): void => {
      if (plain?.body !== undefined) sent.write(plain.body)
      if (plain?.trailers) sent.addTrailers(plain.trailers)
      sent.end()
    }
    if (request.headers.some(([name]) => name.toLowerCase() === 'expect')) {
      sent.flushHeaders()
      sent.once('continue', send)
    } else send()
  })
}

function overHttp2(
  port: number,
  request: Extract<Request, { by: 'http2' | 'grpc' }>,
): Promise<Answer> {
  return new Promise((resolve) => {
    const got = draft()
    const session = http2.connect(`http://127.0.0.1:${port}`)
    const finish = (broken?: string): void => {
      if (broken !== undefined) got.broken ??= broken
      session.destroy()
      resolve(whole(got))
    }
    session.on('error', (reason) =>
      finish(`session ${(reason as NodeJS.ErrnoException).code ?? ''}`),
    )
    const grpc = request.by === 'grpc'
    const headers: http2.OutgoingHttpHeaders = {
      ':method': grpc ? 'POST' : request.method,
      ':path': request.target,
      ...(grpc ? { te: 'trailers', 'content-type': 'application/grpc' } : {}),
    }
    for (const [name, value] of grpc ? request.metadata : request.headers) {
      const before = headers[name]
      headers[name] = before === undefined ? value : [before, value].flat().map(String)
    }
    const stream = session.request(headers, { endStream: false })
    stream.setTimeout(TIMEOUT_MS, () => finish('timeout'))
    stream.on('error', (reason) => finish(`error ${(reason as NodeJS.ErrnoException).code ?? ''}`))
    stream.on('headers', ({ ':status': status }) => got.interim.push(Number(status)))
    stream.on('response', (fields, _flags, ...rest) => {
      got.status = Number(fields[':status'])
      const [lines] = rest as unknown as [string[] | undefined]
      got.headers = lines
        ? distinct(lines.filter((_, n) => !(lines[n - (n % 2)] ?? '').startsWith(':')))
        : fromFields(fields)
    })
    stream.on(
      'trailers',
      (fields: http2.IncomingHttpHeaders) => (got.trailers = fromFields(fields)),
    )
    stream.on('data', (chunk: Buffer) => got.chunks.push(chunk))
    stream.on('end', () => setImmediate(() => finish()))
    if (grpc) for (const message of request.messages) stream.write(frame(message))
    else if (request.body !== undefined) stream.write(request.body)
    stream.end()
  })
}

function fromFields(fields: http2.IncomingHttpHeaders): Record<string, string[]> {
  const out: Record<string, string[]> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (!name.startsWith(':') && value !== undefined) out[name] = [value].flat()
  }
  return out
}

/** Bytes as they are; of the answers only the status codes, and whether the connection was closed. */
function raw(port: number, bytes: string): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    let closed = false
    const finish = (): void => {
      socket.destroy()
      const text = Buffer.concat(chunks).toString('latin1')
      const codes = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, code]) => Number(code))
      const [status = 0] = codes
      resolve({
        status,
        headers: {},
        body: '',
        trailers: {},
        interim: codes.slice(1),
        broken: closed ? 'closed' : 'left open',
      })
    }
    const timer = setTimeout(finish, 1_500)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      closed = true
      clearTimeout(timer)
      finish()
    })
    socket.write(Buffer.from(bytes, 'latin1'))
  })
}
