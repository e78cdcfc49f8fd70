/** A hub that sells, as a process: its node is paired by the command, its database read from outside. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Sqlite from 'better-sqlite3'
import { Agent as Dispatcher } from 'undici'
import { z } from 'zod'
import type { LineProcess } from '../../interop/line-process.ts'
import { pinhole } from '../../interop/pinhole.ts'
import { freePort } from '../../interop/relays.ts'
import type { Upstreams } from './upstreams.ts'

const START_MS = 30_000
const PAIR_MS = 30_000
const DOCTOR_MS = 60_000

/** Invoices made ahead for each price. */
export const STOCK = 4
/** Prices in satoshis, each of its own, so that each has a stock of its own. */
export const PRICES = { http: 11, grpc: 12, webSocket: 13, cheap: 2 } as const

const Node = z.object({ state: z.string(), ready: z.number(), subscribed: z.boolean() })
const Health = z.object({ nodes: z.array(Node) })
const Finding = z.object({ check: z.string(), level: z.string(), text: z.string() })
const Findings = z.object({ findings: z.array(Finding) })
const Sold = z.object({ state: z.string(), count: z.number(), sat: z.number() })

/** A running hub, and what its clients trust. */
export class HubProcess {
  /** `127.0.0.1:<port>` */
  readonly address: string
  readonly #folder: string
  readonly #flags: readonly string[]
  #process: LineProcess | undefined
  #certificate: Buffer = Buffer.alloc(0)
  #dispatcher: Dispatcher | undefined

  private constructor(port: number, folder: string) {
    this.address = `127.0.0.1:${port}`
    this.#folder = folder
    this.#flags = ['--configfile', path.join(folder, 'pinhole.yaml'), '--basedir', folder]
  }

  /** Configures a hub for `upstreams`, with `more` of YAML; nothing runs yet. */
  static async create(upstreams: Upstreams, more = ''): Promise<HubProcess> {
    const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-sale-'))
    const hub = new HubProcess(await freePort(), folder)
    const text = configuration(hub.address, upstreams) + more
    await writeFile(path.join(folder, 'pinhole.yaml'), text)
    return hub
  }

  /** Pairs a node for it; returns what the command says of that. */
  async pair(phrase: string, mailbox: string): Promise<Readonly<Record<string, unknown>>> {
    const words = phrase.split(' ')
    const command = pinhole(
      'pair',
      ...[...this.#flags, '--mailbox', mailbox, '--insecure-tls', '--json', ...words],
    )
    try {
      return await command.lineWith('pubkey', PAIR_MS)
    } finally {
      await command.ended
    }
  }

  /** The certificate that it made for itself, PEM. */
  get certificate(): Buffer {
    return this.#certificate
  }

  /** `fetch` that trusts the hub. */
  readonly fetch: typeof globalThis.fetch = (input, init) => {
    // The types of Node's fetch know the undici within Node only.
    const trusting: object = { dispatcher: this.#dispatcher }
    return globalThis.fetch(input, { ...init, ...trusting })
  }

  /** Starts it, again on the same port; resolves when it listens. */
  async start(): Promise<void> {
    this.#process = pinhole('start', ...this.#flags)
    await this.#process.lineWith('address', START_MS)
    this.#certificate = await readFile(path.join(this.#folder, 'tls.cert'))
    this.#dispatcher ??= new Dispatcher({ connect: { ca: this.#certificate } })
  }

  /** Has it read its configuration, and what was paired, again. */
  reload(): void {
    if (this.#process?.pid !== undefined) process.kill(this.#process.pid, 'SIGHUP')
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  /** What `pinhole doctor --reconcile` finds of one check. */
  async doctor(check: string): Promise<readonly z.infer<typeof Finding>[]> {
    const command = pinhole('doctor', ...this.#flags, '--reconcile', '--json')
    try {
      const { findings } = Findings.parse(await command.lineWith('findings', DOCTOR_MS))
      return findings.filter((finding) => finding.check === check)
    } finally {
      await command.ended
    }
  }

  /** What it said last, for the message of a failure. */
  get said(): string {
    return this.#process?.stderr ?? ''
  }

  /** What health says of the node. */
  async node(): Promise<z.infer<typeof Node>> {
    const response = await this.fetch(`https://${this.address}/_pinhole/health`)
    const [node] = Health.parse(await response.json()).nodes
    if (!node) throw new Error('health names no node')
    return node
  }

  /** How many tokens were offered and sold, and for how much: what is on disk. */
  sold(): { readonly settled: number; readonly sat: number; readonly pending: number } {
    const rows = this.#read(
      'select state, count(*) as count, sum(price_msat) / 1000 as sat from transactions group by state',
    ).map((row) => Sold.parse(row))
    const settled = rows.find(({ state }) => state === 'settled')
    const pending = rows.find(({ state }) => state === 'pending')
    return { settled: settled?.count ?? 0, sat: settled?.sat ?? 0, pending: pending?.count ?? 0 }
  }

  /** Which of these payment hashes, in hex, are not settled exactly once. */
  unsettled(paymentHashes: Iterable<string>): string[] {
    const rows = this.#read(
      "select lower(hex(payment_hash)) as hash from transactions where state = 'settled'",
    ).map((row) => z.object({ hash: z.string() }).parse(row).hash)
    return [...paymentHashes].filter((hash) => rows.filter((row) => row === hash).length !== 1)
  }

  #read(query: string): unknown[] {
    const database = new Sqlite(path.join(this.#folder, 'pinhole.db'), { readonly: true })
    try {
      return database.prepare(query).all()
    } finally {
      database.close()
    }
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#dispatcher?.destroy()
    await this.#process?.stop('SIGTERM')
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Few invoices are made ahead, so that an outage uses them up; nobody waits long for one. */
const configuration = (address: string, upstreams: Upstreams): string => `
listenaddr: ${address}
servername: localhost
authenticator: {network: simnet}
admin: {enabled: true}
invoices:
  expiry: 1h
  timeout: 3s
  pool: {perprice: ${STOCK}, minlife: 1m}
  allowance: {peraddress: 1000000, perservice: 1000000, total: 1000000}
services:
- name: http
  pathregexp: ^/http/
  address: ${upstreams.http}
  price: ${PRICES.http}
- name: cheap
  pathregexp: ^/cheap/
  address: ${upstreams.http}
  price: ${PRICES.cheap}
- name: grpc
  pathregexp: ^/pinhole.test.Shop/
  address: ${upstreams.grpc}
  protocol: h2c
  price: ${PRICES.grpc}
- name: websocket
  pathregexp: ^/websocket$
  address: ${upstreams.webSocket}
  price: ${PRICES.webSocket}
`
