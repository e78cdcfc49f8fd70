/** Asks an upstream once whether it answers, the way the paywall would. */
import http from 'node:http'
import http2 from 'node:http2'
import type net from 'node:net'
import tls from 'node:tls'
import { dial, hostOf } from '../../proxy/forward/dial.ts'
import type { Upstream } from '../../proxy/service.ts'
import type { Clock } from '../base/clock.ts'

/** For everything, in milliseconds. */
const PROBE_MS = 10_000

/** What came of it. */
export interface Probe {
  readonly reachable: boolean
  /** 0 without an answer. */
  readonly status: number
  readonly latency_ms: number
  /** Why there was no answer; empty when there was one. */
  readonly reason: string
}

/** Sends one GET and reads the head of its answer, nothing more. Never rejects. */
export async function probe(upstream: Upstream, path: string, clock: Clock): Promise<Probe> {
  const startedAt = clock.now()
  const within = { ...upstream, timeouts: { ...upstream.timeouts, connectMs: PROBE_MS } }
  let socket: net.Socket | undefined
  try {
    socket = await dial(within, ['h2', 'http/1.1'], clock)
    const status = await ask(socket, upstream, path, clock)
    return { reachable: true, status, latency_ms: Math.round(clock.now() - startedAt), reason: '' }
  } catch (reason) {
    return { reachable: false, status: 0, latency_ms: 0, reason: said(reason) }
  } finally {
    socket?.destroy()
  }
}

function ask(socket: net.Socket, upstream: Upstream, path: string, clock: Clock): Promise<number> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(PROBE_MS, () => {
      settle(() => reject(new Error(`no answer within ${PROBE_MS / 1_000} s`)))
    })
    const settle = (end: () => void) => {
      cancel()
      end()
    }
    const answered = (status: number) => settle(() => resolve(status))
    const failed = (error: Error) => settle(() => reject(error))
    socket
      .on('error', failed)
      .once('close', () => failed(new Error('it hung up without an answer')))
    const negotiated = socket instanceof tls.TLSSocket && socket.alpnProtocol === 'h2'
    if (upstream.protocol !== 'h2c' && !negotiated) {
      const headers = { host: hostOf(upstream), connection: 'close' }
      http
        .request({ createConnection: () => socket, path, headers })
        .once('response', (answer) => answered(answer.statusCode ?? 0))
        .on('error', failed)
        .end()
      return
    }
    const session = http2.connect(`http://${hostOf(upstream)}`, { createConnection: () => socket })
    session.on('error', failed)
    session
      .request({ ':path': path })
      .once('response', (head) => answered(head[':status'] ?? 0))
      .on('error', failed)
      .end()
  })
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'no address is known for that name',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'there is no way to that host',
  ECONNRESET: 'it broke the connection off',
}

function said(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason)
  const code = 'code' in reason ? String(reason.code) : ''
  return WORDS[code] ?? (reason.message === '' ? code : reason.message)
}
