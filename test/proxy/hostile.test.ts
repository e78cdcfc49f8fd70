/** A whole hub, and everybody against it: it lives, gives nothing away, and its node is left in peace. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import Sqlite from 'better-sqlite3'
import fc from '../fast-check.ts'
import { formatAuthorization, parseChallenge } from '../../proxy/l402/index.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createHub, loadConfig } from '../../src/index.ts'
import { createLogger } from '../../src/logger.ts'
import type { MadeInvoice } from '../../src/invoices/node.ts'
import { VirtualNode, VirtualNodes } from '../invoices/virtual-node.ts'
import { attack, type Attack } from './hostile/attacks.ts'
import { ask } from './shop.ts'

/** A node whose invoices look like some. */
class Node extends VirtualNode {
  override create(amountMsat: bigint): MadeInvoice {
    const made = super.create(amountMsat)
    return { ...made, paymentRequest: `lnbc${made.addIndex}n` }
  }
}

const ATTACKS_AT_ONCE = 100
const SALVOS = 10
/** What one attack gets: half a request draws no answer until the header timeout. */
const PATIENCE_MS = 800
/** A flood queues up. */
const FLOOD_PATIENCE_MS = 20_000
const ALLOWED_5XX = [502, 503, 504]

interface Fortress {
  readonly port: number
  readonly url: string
  readonly node: VirtualNode
  /** What the upstream was asked, `service /url`. */
  readonly reached: string[]
  /** All that was logged, at the level trace. */
  readonly logged: () => string
  readonly database: string
  readonly stop: () => Promise<void>
}

async function upstream(t: TestContext, reached: string[]): Promise<string> {
  const server = http.createServer((request, response) => {
    reached.push(`${String(request.headers['x-pinhole-service'])} ${request.url}`)
    request.on('error', () => {}).resume()
    response.end('ware')
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A hub that sells `/paid`, has `/open` and `/free`, and an upstream for `/dead` that is not there. */
async function build(t: TestContext, allowance: Record<string, unknown>): Promise<Fortress> {
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-hostile-'))
  t.after(() => rmSync(basedir, { recursive: true }))
  const reached: string[] = []
  const address = await upstream(t, reached)
  const service = (name: string, auth: string, at = address) => {
    return { name, hostregexp: '.*', pathregexp: `^/${name}`, address: at, protocol: 'http', auth }
  }
  const values = {
    listenaddr: '127.0.0.1:0',
    insecure: true,
    draintimeout: '100ms',
    invoices: { pool: { enabled: false }, allowance },
    services: [
      ...[service('paid', 'on'), service('open', 'off'), service('free', 'freebie 2')],
      service('dead', 'off', '127.0.0.1:1'),
    ],
  }
  const lines: string[] = []
  const log = createLogger({ debuglevel: 'trace' }, { write: (line) => void lines.push(line) })
  const node = new Node('node', systemClock)
  const config = loadConfig({ configfile: false, basedir, values })
  const hub = createHub(config, { log, nodes: new VirtualNodes(node) })
  t.after(() => hub.close())
  const url = await hub.listen()
  return {
    ...{ port: Number(new URL(url).port), url, node, reached },
    logged: () => lines.join(''),
    database: path.join(basedir, 'pinhole.db'),
    stop: () => hub.close(),
  }
}

/** Buys a token as an honest client from 127.0.0.1. */
async function buy({ url, node }: Fortress) {
  const { challenges } = await ask(`${url}/paid/x`)
  const [challenge] = parseChallenge(challenges)
  const [kept] = [...node.invoices.values()].filter(
    ({ addIndex }) => challenge?.invoice === `lnbc${addIndex}n`,
  )
  assert.ok(challenge && kept, 'no challenge')
  node.settle(kept.paymentHash)
  return { macaroon: challenge.macaroon, preimage: Uint8Array.from(kept.preimage) }
}

/** Sends bytes and nothing after them; the status codes that came back, until a moment after the first. */
function send(port: number, bytes: Buffer): Promise<number[]> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    let text = ''
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (/^HTTP\/1\.1 [2-5]/m.test(text)) socket.end()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve([...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, code]) => Number(code)))
    })
    socket.write(bytes)
  })
}

/** An HTTP/2 connection that is opened again whenever it has been closed. */
class Session {
  readonly #url: string
  #session: http2.ClientHttp2Session | undefined

  constructor(url: string) {
    this.#url = url
  }

  /** The status, none for a stream or a connection that was reset. */
  request(headers: Readonly<Record<string, string>>, patienceMs = PATIENCE_MS): Promise<number[]> {
    return new Promise((resolve) => {
      const codes: number[] = []
      let stream: http2.ClientHttp2Stream
      try {
        stream = this.#open().request(headers, { endStream: true })
      } catch {
        // Node's own client does not send these.
        return resolve([])
      }
      const timer = setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), patienceMs)
      stream.on('response', (fields) => codes.push(Number(fields[':status'])))
      stream.on('error', () => {})
      stream.on('close', () => {
        clearTimeout(timer)
        resolve(codes)
      })
      stream.resume()
    })
  }

  close(): void {
    this.#session?.destroy()
  }

  #open(): http2.ClientHttp2Session {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = http2.connect(this.#url).on('error', () => {})
    }
    return this.#session
  }
}

/** Every way in which a secret might be written. */
function spellings(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes)
  return (['hex', 'base64', 'base64url'] as const).map((form) => buffer.toString(form))
}

/** Secrets of the hub that stand in its log. */
function leaked({ logged, database, node }: Fortress, macaroons: readonly Uint8Array[]): string[] {
  const opened = new Sqlite(database, { readonly: true })
  const keys = opened.prepare<[], Uint8Array>('select root_key from secrets').pluck().all()
  opened.close()
  assert.notEqual(keys.length, 0)
  const preimages = [...node.invoices.values()].map(({ preimage }) => preimage)
  const text = logged()
  assert.notEqual(text, '')
  return [...keys, ...preimages, ...macaroons]
    .flatMap(spellings)
    .filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))
}

test('whatever is sent, the hub lives, sells only to those who paid, and keeps its secrets', async (t) => {
  const fortress = await build(t, { per: '1h', peraddress: 20 })
  const token = await buy(fortress)
  const session = new Session(fortress.url)
  t.after(() => session.close())
  const codes = new Map<number, number>()
  const faults: string[] = []
  let attacks = 0
  const tried = async (one: Attack): Promise<void> => {
    attacks++
    const { port } = fortress
    const got = one.by === 'bytes' ? send(port, one.bytes) : session.request(one.headers)
    for (const code of await got) {
      codes.set(code, (codes.get(code) ?? 0) + 1)
      if (code >= 500 && !ALLOWED_5XX.includes(code)) faults.push(`${code} for ${spell(one)}`)
    }
  }
  const salvo = fc.array(attack(token), {
    minLength: ATTACKS_AT_ONCE,
    maxLength: ATTACKS_AT_ONCE,
  })
  await fc.assert(
    fc.asyncProperty(salvo, async (all) => {
      await Promise.all(all.map(tried))
      faults.push(...fortress.reached.splice(0).filter(isStolen))
      assert.deepEqual(faults, [])
    }),
    { numRuns: SALVOS, endOnFailure: true },
  )
  console.error(`# ${attacks} attacks, answered by ${JSON.stringify(Object.fromEntries(codes))}`)
  for (const code of [200, 400, 402, 404, 429, 502]) assert.ok(codes.has(code), `no ${code}`)
  assert.ok(fortress.node.invoices.size <= 20, `${fortress.node.invoices.size} invoices`)
  const headers = { authorization: formatAuthorization(token.macaroon, token.preimage) }
  assert.equal((await ask(`${fortress.url}/paid/x`, { headers })).status, 200)
  assert.equal((await ask(`${fortress.url}/_pinhole/health`)).status, 200)
  await fortress.stop()
  assert.deepEqual(leaked(fortress, [token.macaroon]), [])
})

/** Whether the upstream was asked for what is sold, as the most careless one would read it. */
function isStolen(line: string): boolean {
  const [service, url = ''] = line.split(' ', 2)
  return service === 'paid' || path.posix.normalize(plain(url)).startsWith('/paid')
}

const plain = (url: string) =>
  url
    .replaceAll(/%2e/gi, '.')
    .replaceAll(/%2f/gi, '/')
    .replaceAll(/%5c|\\/gi, '/')
    .replace(/\?.*/s, '')

const spell = (one: Attack) =>
  one.by === 'bytes' ? JSON.stringify(one.bytes.toString('latin1')) : JSON.stringify(one.headers)

test('10,000 unpaid requests from one address make no more than its allowance of invoices', async (t) => {
  const allowed = 120
  const fortress = await build(t, { per: '1h', peraddress: allowed })
  const sessions = Array.from({ length: 5 }, () => new Session(fortress.url))
  t.after(() => sessions.forEach((session) => session.close()))
  const codes = new Map<number, number>()
  const flood = async (session: Session) => {
    for (let n = 0; n < 20; n++) {
      const request = () => session.request({ ':path': '/paid/x' }, FLOOD_PATIENCE_MS)
      for (const [code = 0] of await Promise.all(Array.from({ length: 100 }, request))) {
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
    }
  }
  let over = false
  const others: number[] = []
  const honest = async () => {
    while (!over) {
      const options = { localAddress: '127.0.0.2' }
      others.push((await ask(`${fortress.url}/paid/x`, options)).status)
      if (others.length === allowed) break
    }
  }
  const served = honest()
  await Promise.all(sessions.map(flood))
  over = true
  await served
  console.error(`# ${JSON.stringify(Object.fromEntries(codes))}; ${others.length} to the other`)
  assert.equal(codes.get(402), allowed)
  assert.equal(codes.get(429), 10_000 - allowed)
  assert.notEqual(others.length, 0)
  assert.deepEqual(new Set(others), new Set([402]))
  assert.equal(fortress.node.invoices.size, allowed + others.length)
  await fortress.stop()
  assert.deepEqual(leaked(fortress, []), [])
})
