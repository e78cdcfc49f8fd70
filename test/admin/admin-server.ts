/** An admin API of plain HTTP or HTTPS, answered by functions: what clients and commands are tested against. */
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { PinholeError } from '../../src/base/errors.ts'
import { openCertificate } from '../../src/certificate.ts'
import { MACAROON_HEADER } from '../../src/admin/client/request.ts'
import {
  type CheckedRequestOf,
  type OperationName,
  operations,
  REST_PREFIX,
} from '../../src/admin/contract.ts'

/** One implementation each; what is thrown becomes an answer as the contract says it. */
export type Answers = {
  readonly [Name in OperationName]?: (request: CheckedRequestOf<Name>, call: Call) => unknown
}

/** What a request had besides its fields. */
export interface Call {
  readonly macaroon: string | undefined
  /** Aborts when the caller is gone. */
  readonly closed: AbortSignal
}

/** A call that came. */
export interface SeenCall extends Pick<Call, 'macaroon'> {
  readonly name: string
  readonly request: unknown
}

/** The running server. */
export interface AdminServer {
  readonly url: string
  readonly port: number
  /** Calls in their order. */
  readonly calls: readonly SeenCall[]
}

/** Serves `answers` until the test ends; with `basedir` by TLS under the certificate that it makes there. */
export async function adminServer(
  t: TestContext,
  answers: Answers,
  { basedir }: { readonly basedir?: string } = {},
): Promise<AdminServer> {
  const calls: SeenCall[] = []
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse) =>
    void reply(answers, calls, incoming, outgoing)
  const server = await (basedir === undefined
    ? http.createServer(serve)
    : tlsServer(basedir, serve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const scheme = basedir === undefined ? 'http' : 'https'
  return { url: `${scheme}://127.0.0.1:${port}`, port, calls }
}

async function tlsServer(basedir: string, serve: http.RequestListener) {
  const made = await openCertificate({ basedir, servername: 'hub.example.com' })
  made.close()
  const cert = readFileSync(path.join(basedir, 'tls.cert'))
  return https.createServer({ cert, key: readFileSync(path.join(basedir, 'tls.key')) }, serve)
}

async function reply(
  answers: Answers,
  calls: SeenCall[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const closed = new AbortController()
  outgoing.on('close', () => closed.abort())
  try {
    const { name, fields } = await readCall(incoming)
    const header = incoming.headers[MACAROON_HEADER]
    const macaroon = typeof header === 'string' ? header : undefined
    calls.push({ name, request: fields, macaroon })
    const { request, answer = 'json', scope } = operations[name]
    const implementation = answers[name] as ((request: unknown, call: Call) => unknown) | undefined
    if (!implementation) throw new PinholeError('ERR_ADMIN_OFF', `${name} is not here`)
    if (scope !== 'none' && macaroon === undefined) {
      throw new PinholeError('ERR_ADMIN_MACAROON', 'missing macaroon')
    }
    const read = request.safeParse(fields)
    if (!read.success) {
      throw new PinholeError('ERR_ADMIN_REQUEST', read.error.issues[0]?.message ?? 'wrong')
    }
    const value = await implementation(read.data, { macaroon, closed: closed.signal })
    if (answer === 'events') return await sendEvents(value as AsyncIterable<unknown>, outgoing)
    outgoing.end(answer === 'json' ? JSON.stringify(value) : value)
  } catch (reason) {
    const { status, grpc, message, code, docs } =
      reason instanceof PinholeError ? reason : new PinholeError('ERR_HUB_ANSWER', String(reason))
    outgoing.statusCode = status
    outgoing.end(JSON.stringify({ code: grpc, message, details: [], error: code, docs }))
  }
}

async function sendEvents(events: AsyncIterable<unknown>, outgoing: ServerResponse): Promise<void> {
  outgoing.setHeader('content-type', 'text/event-stream')
  outgoing.write(': here\n\n')
  for await (const event of events) outgoing.write(`data: ${JSON.stringify(event)}\n\n`)
  outgoing.end()
}

async function readCall(incoming: IncomingMessage) {
  const url = new URL(incoming.url ?? '/', 'http://hub')
  for (const [name, { method, path: pattern }] of Object.entries(operations)) {
    const shape = pattern.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
    const match = new RegExp(`^${REST_PREFIX}${shape}$`).exec(url.pathname)
    if (!match || method !== incoming.method) continue
    const body: unknown = JSON.parse((await textOf(incoming)) || '{}')
    const named = Object.entries(match.groups ?? {}).map(([k, v]) => [k, decodeURIComponent(v)])
    const query = Object.fromEntries(url.searchParams)
    const fields = { ...query, ...(body as object), ...Object.fromEntries(named) } as object
    return { name: name as OperationName, fields }
  }
  throw new PinholeError('ERR_ADMIN_NOT_FOUND', `no ${incoming.method} ${url.pathname}`)
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of incoming) text += String(chunk)
  return text
}
