/** Requests and handshakes as a stranger would make them; whose certificate it is, others judge. */
import type { X509Certificate } from 'node:crypto'
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'

/** The beginning of a body is enough to tell whose it is. */
const MAX_BODY_CHARS = 65_536

/** What a request drew. */
export interface Drawn {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Its beginning. */
  readonly body: string
}

/** What to send. */
export interface ProbeOptions {
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Sends one request by HTTP/1.1 and reads the answer. Rejects with what the socket says. */
export async function draw(url: URL, options: ProbeOptions): Promise<Drawn> {
  const answer = await begin(url, options)
  let body = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) {
    body += String(chunk)
    if (body.length > MAX_BODY_CHARS) break
  }
  answer.destroy()
  return { status: answer.statusCode ?? 0, headers: answer.headers, body }
}

/** Sends one request; resolves with the head of the answer. */
export function begin(
  url: URL,
  { method = 'GET', headers = {}, signal }: ProbeOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const common = { method, headers, signal, agent: false }
    const sent =
      url.protocol === 'https:'
        ? https.request(url, { ...common, rejectUnauthorized: false })
        : http.request(url, common)
    sent.once('response', resolve).once('error', reject).end()
  })
}

/** How a handshake of TLS ended. */
export interface Handshake {
  /** `h2`, `http/1.1`, or nothing. */
  readonly protocol: string
  readonly certificate: X509Certificate | undefined
  /** Why this machine does not trust it; empty when it does. */
  readonly distrust: string
}

/** Where to shake hands, and what to offer. */
export interface HandshakeOptions {
  readonly host: string
  readonly port: number
  readonly protocols: readonly string[]
  readonly signal: AbortSignal
}

/** Shakes hands by TLS and hangs up. */
export function shakeHands(options: HandshakeOptions): Promise<Handshake> {
  const { host, port, protocols, signal } = options
  return new Promise((resolve, reject) => {
    const name = net.isIP(host) === 0 ? { servername: host } : {}
    const ALPNProtocols = [...protocols]
    const socket = tls.connect({ host, port, ...name, ALPNProtocols, rejectUnauthorized: false })
    const abort = () => socket.destroy(new Error('no answer in time'))
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', reject)
    socket.once('close', () => signal.removeEventListener('abort', abort))
    socket.once('secureConnect', () => {
      const { authorized, authorizationError } = socket
      resolve({
        protocol: socket.alpnProtocol || '',
        certificate: socket.getPeerX509Certificate(),
        distrust: authorized ? '' : String(authorizationError),
      })
      socket.destroy()
    })
  })
}

/** Hangs up a socket once it has connected. */
export function reach(
  socket: net.Socket,
  connected: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => socket.destroy(new Error('no answer in time'))
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', reject)
    socket.once('close', () => signal.removeEventListener('abort', abort))
    socket.once(connected, () => {
      resolve()
      socket.destroy()
    })
  })
}
