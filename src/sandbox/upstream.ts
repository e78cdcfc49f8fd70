/** The sample service that the sandbox sells: something free, something paid, something that streams. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'

const STREAM_EVENTS = 10
const STREAM_INTERVAL_MS = 300
const TIMEOUT_MS = 10_000

/** A way to pay that the sandbox hands out. */
export interface PayingSession {
  /** Pairs one client with the buyer's node. */
  readonly phrase: string
}

/** A running sample service. */
export interface Upstream {
  /** `host:port`. */
  readonly address: string
  close(): Promise<void>
}

/** What the sample service is made of. */
export interface UpstreamOptions {
  /** Gives a client of the sandbox something to pay with; `undefined` when too many have asked. */
  readonly session: () => Promise<PayingSession | undefined>
  readonly clock: Clock
  readonly log: Log
}

/** Path at which `session` is asked for, by POST. */
export const SESSION_PATH = '/sandbox/buyer'

/** Starts the sample service on a free port of the loopback address. */
export async function startUpstream(options: UpstreamOptions): Promise<Upstream> {
  const server = http.createServer({ requestTimeout: TIMEOUT_MS }, (request, response) => {
    request.resume()
    serve(options, request, response).catch((error: unknown) => {
      options.log.warn({ error }, 'the sample service failed')
      if (!response.headersSent) json(response, 503, { error: 'try again' })
      else response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(
  options: UpstreamOptions,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]
  switch (path) {
    case '/free':
      return json(response, 200, { message: 'This costs nothing.', simulated: true })
    case '/paid':
      return json(response, 200, {
        message: 'You have paid for this, though no real money moved.',
        paidMsat: request.headers['x-pinhole-paid-msat'],
        simulated: true,
      })
    case '/stream':
      return stream(response, options.clock)
    case SESSION_PATH:
      return giveSession(options, request, response)
    default:
      return json(response, 404, { error: 'there is /free, /paid and /stream' })
  }
}

async function giveSession(
  { session }: UpstreamOptions,
  { method }: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  if (method !== 'POST') return json(response, 405, { error: 'use POST' })
  const given = await session()
  if (given) json(response, 200, given)
  else json(response, 429, { error: 'too many at once' })
}

function json(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}

/** Server-sent events, one at a time, until they are all sent or the client has left. */
function stream(response: http.ServerResponse, clock: Clock): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  let sent = 0
  let cancel = () => {}
  const next = () => {
    response.write(`data: ${JSON.stringify({ tick: ++sent, simulated: true })}\n\n`)
    if (sent === STREAM_EVENTS) response.end()
    else cancel = clock.after(STREAM_INTERVAL_MS, next)
  }
  response.once('close', () => cancel())
  next()
}
