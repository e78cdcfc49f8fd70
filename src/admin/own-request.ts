/** A request to the hub itself, as a client would send it. */
import http from 'node:http'
import https from 'node:https'
import { PinholeError } from '../base/errors.ts'

/** Bytes of an answer's body that are kept. */
const MAX_BODY_BYTES = 65_536
const TIMEOUT_MS = 30_000

/** What is asked. */
export interface OwnRequest {
  /** URL of the hub's port. */
  readonly address: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** What came back. */
export interface OwnAnswer {
  readonly status: number
  /** The lines of `WWW-Authenticate`. */
  readonly challenges: readonly string[]
  readonly headers: Record<string, string>
  readonly body: string
}

/** Asks. @throws ERR_HUB_UNREACHABLE */
export function askItself(request: OwnRequest): Promise<OwnAnswer> {
  const { address, method, path, headers, signal } = request
  const { protocol, hostname, port } = new URL(address)
  const target = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    method,
    path,
    headers: { host: `${hostname}:${port}`, ...headers, connection: 'close' },
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    // It is its own certificate, for another name perhaps.
    rejectUnauthorized: false,
  } as const
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => {
      const text = `the hub does not answer itself: ${cause.message}`
      reject(new PinholeError('ERR_HUB_UNREACHABLE', text, { cause }))
    }
    const sent = protocol === 'https:' ? https.request(target) : http.request(target)
    sent.on('error', failed)
    sent.once('response', (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      const done = () => {
        const body = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8')
        const challenges = answer.headersDistinct['www-authenticate'] ?? []
        const entries = Object.entries(answer.headersDistinct)
        const shown = entries.map(([name, values = []]) => [name, values.join(', ')] as const)
        const status = answer.statusCode ?? 0
        resolve({ status, challenges, headers: Object.fromEntries(shown), body })
      }
      answer.on('error', failed).once('end', done)
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size < MAX_BODY_BYTES) return
        done()
        answer.destroy()
      })
    })
    sent.end()
  })
}
