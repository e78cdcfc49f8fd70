/**
 * Profiles over HTTP (`profile`), for whoever is on this machine: on 127.0.0.1 alone, one at a time, of a bounded length.
 * No page in a browser gets one, whatever name leads to the port. Node's own inspector would let everybody run code.
 */
import http from 'node:http'
import type { Clock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { type ProfileKind, takeProfile } from './profiler.ts'

/** The only address. */
const HOST = '127.0.0.1'
const DEFAULT_SECONDS = 10
const MAX_SECONDS = 60
const MAX_CONNECTIONS = 16

/** A bound port. */
export interface ProfilePort {
  readonly url: string
  /** Ends what is being taken. */
  close(): Promise<void>
}

interface Deps {
  readonly clock: Clock
  readonly log: Log
}

const PROFILES: Readonly<Record<string, { readonly kind: ProfileKind; readonly file: string }>> = {
  '/cpu': { kind: 'cpu', file: 'pinhole.cpuprofile' },
  '/heap': { kind: 'heap', file: 'pinhole.heapprofile' },
  '/allocs': { kind: 'allocs', file: 'pinhole-allocs.heapprofile' },
}

const INDEX = `Profiles of this hub, for Chrome DevTools or speedscope. seconds is 1 to ${MAX_SECONDS}, ${DEFAULT_SECONDS} unless given.

/cpu?seconds=N     processor time (.cpuprofile)
/heap?seconds=N    memory that was allocated meanwhile and is still in use (.heapprofile)
/allocs?seconds=N  all memory that was allocated meanwhile (.heapprofile)
`

/** Binds `port` (0 lets the system choose). Throws `ERR_LISTEN_ADDRESS`. */
export function openProfilePort(port: number, deps: Deps): Promise<ProfilePort> {
  const profiles = new Profiles(deps)
  const server = http.createServer((request, response) => {
    void profiles.answer(request, response)
  })
  server.maxConnections = MAX_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `profile: cannot listen on ${HOST}:${port}: ${cause.message}`
      reject(new PinholeError('ERR_LISTEN_ADDRESS', text, { cause }))
    })
    server.listen({ host: HOST, port }, () => {
      const bound = server.address()
      const at = typeof bound === 'object' && bound !== null ? bound.port : port
      resolve({ url: `http://${HOST}:${at}`, close: () => close(server) })
    })
  })
}

function close(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

class Profiles {
  readonly #deps: Deps
  #running = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    if (!isLocal(request)) {
      return refuse(response, 403, 'Ask as localhost or 127.0.0.1, and not from a page.')
    }
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET')
      return refuse(response, 405, 'Ask with GET.')
    }
    const [pathname = '', query] = (request.url ?? '').split('?', 2)
    if (pathname === '/') return void response.end(INDEX)
    const profile = PROFILES[pathname]
    if (!profile) return refuse(response, 404, 'There are /cpu, /heap and /allocs.')
    const ms = lengthOf(query)
    if (ms === undefined) {
      return refuse(response, 400, `seconds is a whole number from 1 to ${MAX_SECONDS}.`)
    }
    if (this.#running) return refuse(response, 409, 'Another profile is being taken.')
    this.#running = true
    try {
      await this.#take(profile, ms, response)
    } catch (error) {
      this.#deps.log.warn({ error }, 'no profile could be taken')
      if (!response.headersSent) refuse(response, 500, 'No profile could be taken; see the log.')
    } finally {
      this.#running = false
    }
  }

  async #take(
    { kind, file }: (typeof PROFILES)[string],
    ms: number,
    response: http.ServerResponse,
  ): Promise<void> {
    const { clock, log } = this.#deps
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    log.info({ kind, seconds: ms / 1_000 }, 'a profile is taken')
    const text = await takeProfile(kind, { ms, clock, signal: gone.signal })
    if (gone.signal.aborted) return
    response.setHeader('content-type', 'application/json')
    response.setHeader('content-disposition', `attachment; filename="${file}"`)
    response.end(text)
  }
}

/** By a name that no DNS server decides on, and not for another page than the port's own. */
function isLocal({ headers }: http.IncomingMessage): boolean {
  const site = headers['sec-fetch-site'] ?? 'none'
  const name = /^(127\.0\.0\.1|localhost)(?::\d+)?$/i.test(headers.host ?? '')
  return name && headers.origin === undefined && (site === 'none' || site === 'same-origin')
}

/** In milliseconds; `undefined` where it is none. */
function lengthOf(query: string | undefined): number | undefined {
  const seconds = new URLSearchParams(query).get('seconds') ?? String(DEFAULT_SECONDS)
  const length = /^\d{1,2}$/.test(seconds) ? Number(seconds) : 0
  return length >= 1 && length <= MAX_SECONDS ? length * 1_000 : undefined
}

function refuse(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status).end(`${text}\n`)
}
