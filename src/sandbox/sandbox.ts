/**
 * `pinhole start --sandbox`: a hub that needs no configuration, no certificate and no money. It sells a sample
 * service for the invoices of a simulated node that waits at the hub's own relay over real LNC: in one
 * session for the hub, in one whose phrase is printed for a program of the user's. A second simulated node, the
 * buyer's, is lent to `pinhole fetch --sandbox`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { listen, type Listener } from '../../mailbox/listen/listen.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { createAdminClient } from '../admin/client.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Flags } from '../config/flags.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub, type Hub } from '../hub.ts'
import type { Line, Standing } from '../nodes/line.ts'
import { Buyers } from './buyers.ts'
import { SandboxNodes } from './nodes.ts'
import { SimulatedNetwork } from './payments.ts'
import { sandboxServices } from './services.ts'
import { createSimulatedNode, type SimulatedNode } from './simulated-node.ts'
import { startUpstream, type Upstream } from './upstream.ts'

/** Cleartext on the loopback address: nothing to trust. */
const SANDBOX = {
  listenaddr: 'localhost:8081',
  insecure: true,
  hashmail: { enabled: true },
  admin: { enabled: true },
} as const

const NODE_NAME = 'sandbox'
const MEMO_PREFIX = 'simulated, no money: '
const CONNECT_TIMEOUT_MS = 15_000
/** As much as one might have with channels of 0.1 BTC. */
const RECEIVABLE_MSAT = 10_000_000_000n

/** The sandbox's configuration; `flags` change single keys. Nothing is read from `basedir`. */
export const sandboxConfig = (flags: Flags, basedir?: string): Config =>
  loadConfig({ basedir, configfile: false, values: SANDBOX, flags })

/** A hub with simulated nodes behind its relay. */
export interface Sandbox {
  /** Binds the port, starts everything else. Throws what `Hub.listen` throws, and when it is closed meanwhile. Resolves with the URL. */
  listen(): Promise<string>
  /** Drains and ends; leaves nothing behind. Idempotent. */
  close(): Promise<void>
  /** What the node said when the hub called it over LNC; `undefined` before `listen`. */
  readonly node: SandboxNode | undefined
  /** By what commands operate it; `undefined` before `listen`, and where `admin.enabled` is switched off. */
  readonly admin: SandboxAdmin | undefined
  /** A link that logs one browser in to the console, once; rejects with `ERR_ADMIN_OFF` where that is switched off. */
  loginLink(): Promise<string>
}

/** The simulated node, as it was reached. */
export interface SandboxNode {
  readonly alias: string
  readonly pubkey: string
  /** Pairs one client of the user's with the node. */
  readonly phrase: string
}

/** Where its admin API is, and the macaroon that may do everything there. */
export interface SandboxAdmin {
  readonly address: string
  readonly macaroonFile: string
}

/** Makes the sandbox; nothing is bound before `listen`. */
export function createSandbox(config: Config, log: Log, clock: Clock = systemClock): Sandbox {
  return new RunningSandbox(config, log.child({ simulated: true }), clock)
}

class RunningSandbox implements Sandbox {
  readonly #config: Config
  readonly #log: Log
  readonly #clock: Clock
  readonly #seller: SimulatedNode
  readonly #buyer: SimulatedNode
  readonly #buyers: Buyers
  readonly #sessions: Listener[] = []
  #folder: TemporaryFolder | undefined
  #upstream: Upstream | undefined
  #hub: Hub | undefined
  #nodes: SandboxNodes | undefined
  #node: SandboxNode | undefined
  #closing: Promise<void> | undefined
  readonly #ending = new AbortController()

  constructor(config: Config, log: Log, clock: Clock) {
    const network = new SimulatedNetwork()
    this.#config = config
    this.#log = log
    this.#clock = clock
    this.#seller = createSimulatedNode({
      alias: NODE_NAME,
      network,
      clock,
      memoPrefix: MEMO_PREFIX,
      receivableMsat: RECEIVABLE_MSAT,
    })
    this.#buyer = createSimulatedNode({ alias: 'sandbox-buyer', network, clock })
    this.#buyers = new Buyers(this.#buyer, clock, log.child({ part: 'buyer' }))
  }

  get node(): SandboxNode | undefined {
    return this.#node
  }

  async listen(): Promise<string> {
    const { signal } = this.#ending
    try {
      const nodes = this.#ownNodes()
      const hub = await this.#startHub(nodes)
      const address = await hub.listen()
      signal.throwIfAborted()
      const [own, offered] = await Promise.all([this.#session(address), this.#session(address)])
      signal.throwIfAborted()
      nodes.connect(address, own)
      const node = await firstReady(nodes.line, this.#clock, signal)
      const { alias, identityPubkey } = await node.getInfo()
      this.#node = { alias, pubkey: identityPubkey, phrase: offered }
      this.#log.info({ alias, pubkey: identityPubkey }, 'the simulated node answers over LNC')
      return address
    } catch (error) {
      await this.close()
      // What came about while it was being closed.
      await this.#close()
      throw error
    }
  }

  get admin(): SandboxAdmin | undefined {
    const [address, folder] = [this.#hub?.adminAddress, this.#folder]
    if (!this.#config.admin.enabled || address === undefined || !folder) return undefined
    return { address, macaroonFile: folder.macaroon }
  }

  async loginLink(): Promise<string> {
    const address = this.#hub?.adminAddress
    if (address === undefined) throw new TypeError('this sandbox does not listen')
    const { admin } = this
    const macaroon = admin ? readFileSync(admin.macaroonFile) : undefined
    const { path: link } = await createAdminClient(address, macaroon).createLoginLink()
    return address + link
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #ownNodes(): SandboxNodes {
    const log = this.#log.child({ part: 'node' })
    this.#nodes = new SandboxNodes({ name: NODE_NAME, clock: this.#clock, log })
    return this.#nodes
  }

  async #startHub(nodes: SandboxNodes): Promise<Hub> {
    this.#folder = temporaryFolder()
    this.#upstream = await startUpstream({
      session: async () => {
        const address = this.#hub?.address
        return address === undefined ? undefined : this.#buyers.open(address)
      },
      clock: this.#clock,
      log: this.#log.child({ part: 'upstream' }),
    })
    this.#ending.signal.throwIfAborted()
    const databasefilename = path.join(this.#folder.path, 'pinhole.db')
    const config = {
      ...this.#config,
      services: sandboxServices(this.#upstream.address),
      sqlite: { ...this.#config.sqlite, databasefilename },
      admin: { ...this.#config.admin, macaroonpath: this.#folder.macaroon },
    }
    this.#hub = createHub(config, { clock: this.#clock, log: this.#log, nodes })
    return this.#hub
  }

  async #close(): Promise<void> {
    this.#ending.abort()
    await this.#nodes?.close()
    await this.#buyers.close()
    await Promise.all(this.#sessions.map((session) => session.close()))
    this.#seller.server.forceShutdown()
    this.#buyer.server.forceShutdown()
    await this.#hub?.close()
    await this.#upstream?.close()
    this.#folder?.remove()
  }

  /** Lets the node wait at the relay for one more client; its phrase. */
  async #session(mailbox: string): Promise<string> {
    const session = await listen({
      mailbox,
      server: this.#seller.server,
      authData: `Macaroon: ${this.#seller.adminMacaroon}`,
      clock: this.#clock,
      log: this.#log,
      signal: this.#ending.signal,
    })
    this.#sessions.push(session)
    return session.phrase ?? ''
  }
}

interface TemporaryFolder {
  readonly path: string
  /** Where the hub puts its admin macaroon. */
  readonly macaroon: string
  remove(): void
}

/** A folder that goes with the process at the latest, even when that ends without closing anything. */
function temporaryFolder(): TemporaryFolder {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-sandbox-'))
  const remove = () => {
    process.off('exit', remove)
    rmSync(made, { recursive: true, force: true })
  }
  process.on('exit', remove)
  return { path: made, macaroon: path.join(made, 'admin.macaroon'), remove }
}

/** The node, once it is connected; a machine that is busy may take a while, and says `away` meanwhile. */
function firstReady(line: Line, clock: Clock, signal: AbortSignal): Promise<LightningNode> {
  return new Promise((resolve, reject) => {
    const end = () => {
      stopTimer()
      stop()
      signal.removeEventListener('abort', fail)
    }
    const fail = () => {
      end()
      reject(line.offline())
    }
    const stopTimer = clock.after(CONNECT_TIMEOUT_MS, fail)
    const look = (standing: Standing) => {
      if (standing.name !== 'ready') return
      end()
      resolve(standing.node)
    }
    const stop = line.onChange(look)
    signal.addEventListener('abort', fail)
    look(line.standing)
  })
}
