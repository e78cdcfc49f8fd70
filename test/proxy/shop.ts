/** A paywall that runs: our listener on a port of its own, an upstream that repeats, and a till in memory. */
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { Allowance, type AllowanceLimits } from '../../proxy/allowance.ts'
import type { ChallengeLayout } from '../../proxy/answer-payment.ts'
import { parseTrusted } from '../../proxy/client-address.ts'
import type { FastPath } from '../../proxy/fast-path/fast-path.ts'
import { Freebies } from '../../proxy/freebie.ts'
import type { Invoice, InvoiceBackend, InvoiceRequest } from '../../proxy/invoice-backend.ts'
import { formatAuthorization, parseChallenge } from '../../proxy/l402/index.ts'
import type { PaywallOptions } from '../../proxy/options.ts'
import { paywall } from '../../proxy/plugin.ts'
import { RateLimiter } from '../../proxy/rate-limit.ts'
import type { Snapshot } from '../../proxy/route.ts'
import type { Service } from '../../proxy/service.ts'
import type { NewToken, TokenStore } from '../../proxy/token-store.ts'
import { toHex } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { createListener, type KeyPair } from '../../src/listener.ts'
import { OPTIONS } from '../listener/serving.ts'
import { shortWay } from './fast-path/short-way.ts'
import { service as plainService } from './services.ts'

const hex = (bytes: Uint8Array) => toHex(Uint8Array.from(bytes))

/** Root keys in memory; counts how often they are looked up. */
export class MemoryTokens implements TokenStore {
  readonly sold: NewToken[] = []
  readonly shown: string[] = []
  lookups = 0
  /** What `add` does before it resolves. */
  adding: () => Promise<void> = async () => {}
  ready = (): boolean => true
  readonly #keys = new Map<string, Uint8Array>()
  readonly #listeners = new Set<(identifierHash: Uint8Array) => void>()

  async add(token: NewToken): Promise<void> {
    await this.adding()
    this.sold.push(token)
    this.#keys.set(hex(token.identifierHash), token.rootKey)
  }

  rootKey(identifierHash: Uint8Array): Uint8Array | undefined {
    this.lookups++
    return this.#keys.get(hex(identifierHash))
  }

  priceMsat(identifierHash: Uint8Array): bigint | undefined {
    return this.sold.find((token) => hex(token.identifierHash) === hex(identifierHash))?.priceMsat
  }

  paid(identifierHash: Uint8Array): void {
    this.shown.push(hex(identifierHash))
  }

  onRevoked(listener: (identifierHash: Uint8Array) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  revoke(identifierHash: Uint8Array): void {
    this.#keys.delete(hex(identifierHash))
    for (const listener of this.#listeners) listener(identifierHash)
  }
}

/** A node that makes invoices out of nothing and is paid by calling `settle`. */
export class MemoryInvoices implements InvoiceBackend {
  readonly asked: InvoiceRequest[] = []
  readonly preimages = new Map<string, Uint8Array>()
  readonly #settled = new Set<string>()
  #waiting: (() => void)[] = []
  /** Thrown in place of an invoice. */
  failure: Error | undefined
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async invoice(request: InvoiceRequest): Promise<Invoice> {
    this.asked.push(request)
    if (this.failure) throw this.failure
    const preimage = Uint8Array.from(randomBytes(32))
    const paymentHash = Uint8Array.from(createHash('sha256').update(preimage).digest())
    this.preimages.set(hex(paymentHash), preimage)
    return {
      paymentRequest: `lnsb1${hex(paymentHash)}`,
      paymentHash,
      amountMsat: request.amountMsat,
      expiresAtMs: this.#clock.wall() + 3_600_000,
    }
  }

  async settled(paymentHash: Uint8Array, withinMs: number): Promise<boolean> {
    const id = hex(paymentHash)
    if (!this.#settled.has(id) && withinMs > 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        this.#clock.after(withinMs, resolve)
      })
    }
    return this.#settled.has(id)
  }

  async preimage(paymentHash: Uint8Array): Promise<Uint8Array | undefined> {
    const id = hex(paymentHash)
    return this.#settled.has(id) ? this.preimages.get(id) : undefined
  }

  /** Questions that wait for a payment. */
  get waiting(): number {
    return this.#waiting.length
  }

  settle(paymentHash: Uint8Array): void {
    this.#settled.add(hex(paymentHash))
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  preimageOf(paymentRequest: string): Uint8Array {
    const preimage = this.preimages.get(paymentRequest.slice('lnsb1'.length))
    if (!preimage) throw new Error('no invoice of this node')
    return preimage
  }
}

/** What a test changes of the shop. */
export interface ShopOptions extends Partial<Omit<PaywallOptions, 'snapshot'>> {
  readonly services: readonly Partial<Service>[]
  readonly tls?: KeyPair
  readonly limits?: Partial<AllowanceLimits>
  readonly trusted?: readonly string[]
  readonly blocked?: readonly string[]
  readonly strictVerify?: boolean
  readonly strict401?: boolean
  readonly challengeLayout?: ChallengeLayout
  /** Adds routes beside the paywall. */
  readonly beside?: (app: FastifyInstance) => void
}

/** A line that was logged. */
export interface Logged {
  readonly level: string
  readonly fields: unknown
  readonly message: string
}

export interface Shop {
  readonly port: number
  readonly url: string
  readonly clock: ManualClock
  readonly tokens: MemoryTokens
  readonly invoices: MemoryInvoices
  readonly registry: Registry
  readonly logged: Logged[]
  /** Lines of what the upstream was asked, `GET /x`. */
  readonly reached: string[]
  /** Where ordinary requests go, unless it is left out. */
  readonly fastPath: FastPath | undefined
  snapshot: Snapshot
  close(): Promise<void>
}

function collectingLog(logged: Logged[]): Log {
  const at = (level: string) => (fields: unknown, message: string) =>
    void logged.push({ level, fields, message })
  const log: Log = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  }
  return log
}

async function upstream(t: TestContext, reached: string[]): Promise<string> {
  const server = http.createServer((req, res) => {
    reached.push(`${req.method} ${req.url}`)
    req.resume()
    req.on('end', () => {
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify({ url: req.url, headers: req.headers }))
    })
  })
  server.on('upgrade', (req, socket) => {
    reached.push(`UPGRADE ${req.url}`)
    socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const NO_LIMITS: AllowanceLimits = { perMs: 60_000, perAddress: 0, perService: 0, total: 0 }

/** Opens a shop; it closes with the test. */
export async function openShop(t: TestContext, options: ShopOptions): Promise<Shop> {
  const { services, tls, limits, trusted = [], blocked = [], strictVerify = false } = options
  const { strict401 = false, challengeLayout = 'lines' } = options
  const { beside, ...rest } = options
  const clock = new ManualClock()
  const tokens = new MemoryTokens()
  const invoices = new MemoryInvoices(clock)
  const registry = new Registry()
  const logged: Logged[] = []
  const reached: string[] = []
  const address = await upstream(t, reached)
  const made = services.map((change): Service => {
    const { upstream: plain, ...service } = plainService(change)
    return { ...service, upstream: change.upstream ?? { ...plain, protocol: 'http', address } }
  })
  const fastPath = shortWay(clock)
  const listener = createListener(
    { ...OPTIONS, tls },
    { clock, ...(fastPath ? { shortWay: fastPath } : {}) },
  )
  const app = fastify({ serverFactory: listener.serverFactory, return503OnClosing: false })
  const shop: Shop = {
    port: 0,
    url: '',
    clock,
    tokens,
    invoices,
    registry,
    logged,
    reached,
    fastPath,
    close: () => app.close(),
    snapshot: {
      services: made,
      trusted: parseTrusted(trusted),
      blocked: new Set(blocked),
      strictVerify,
      strict401,
      challengeLayout,
    },
  }
  app.addHook('onRoute', ({ url }) => fastPath?.keepOff(url))
  beside?.(app)
  await app.register(paywall, {
    invoices,
    tokens,
    allowance: new Allowance({ ...NO_LIMITS, ...limits }),
    freebies: new Freebies(),
    rateLimits: new RateLimiter(),
    rememberedTokens: 100,
    clock,
    registry,
    log: collectingLog(logged),
    fastPath,
    ...rest,
    snapshot: () => shop.snapshot,
  })
  await app.ready()
  const { port } = await listener.listen('127.0.0.1', 0)
  t.after(async () => {
    const drained = listener.drain()
    clock.advance(60_000)
    await Promise.all([drained, app.close()])
  })
  return Object.assign(shop, { port, url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}` })
}

/** An answer over HTTP/1.1, headers as they stood on the wire. */
export interface Answered {
  readonly status: number
  readonly rawHeaders: readonly string[]
  readonly headers: http.IncomingHttpHeaders
  readonly challenges: readonly string[]
  readonly body: string
}

export function ask(
  url: string,
  { body, ...options }: http.RequestOptions & { body?: string } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          rawHeaders: response.rawHeaders,
          headers: response.headers,
          challenges: response.headersDistinct['www-authenticate'] ?? [],
          body: text,
        })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** An answer over HTTP/2. */
export interface Answered2 {
  readonly headers: http2.IncomingHttpHeaders
  readonly body: string
  /** Whether the headers ended the stream. */
  readonly headersOnly: boolean
}

export function ask2(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
): Promise<Answered2> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined })
    let head: http2.IncomingHttpHeaders = {}
    let headersOnly = false
    let text = ''
    stream.on('response', (received, flags) => {
      head = received
      headersOnly = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0
    })
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    stream.on('end', () => resolve({ headers: head, body: text, headersOnly }))
    stream.on('error', reject)
    if (body !== undefined) stream.end(body)
  })
}

/** Draws a 402 and pays: the credential's header, and what is in it. */
export async function buy(shop: Shop, path: string, headers: http.OutgoingHttpHeaders = {}) {
  const { status, challenges } = await ask(shop.url + path, { headers })
  const [challenge] = parseChallenge(challenges)
  if (status !== 402 || !challenge) throw new Error(`no challenge: ${status}`)
  const preimage = shop.invoices.preimageOf(challenge.invoice)
  const { macaroon } = challenge
  return { macaroon, preimage, authorization: formatAuthorization(macaroon, preimage) }
}
