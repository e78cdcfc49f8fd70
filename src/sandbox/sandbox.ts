/**
 * `pinhole start --sandbox`: a hub that needs no configuration, no certificate and no money. A simulated node
 * waits at the hub's own relay over real LNC, in two sessions: one that the hub pairs with itself, which
 * proves the way, and one whose phrase is printed for a program of the user's.
 */
import { connect, listen, type Listener, type PairedNode } from '../../mailbox/index.ts'
import type { Log } from '../base/log.ts'
import type { Flags } from '../config/flags.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub, type Hub } from '../hub.ts'
import { createSimulatedNode, type SimulatedNode } from './simulated-node.ts'

/** Cleartext on the loopback address: nothing to trust and nothing to store. */
const SANDBOX = {
  listenaddr: 'localhost:8081',
  insecure: true,
  hashmail: { enabled: true },
} as const

/** The sandbox's configuration; `flags` change single keys. */
export const sandboxConfig = (flags: Flags): Config =>
  loadConfig({ configfile: false, values: SANDBOX, flags })

/** A hub with a simulated node behind its relay. */
export interface Sandbox extends Hub {
  /** What the node said when the hub called it over LNC; `undefined` before `listen`. */
  readonly node: SandboxNode | undefined
}

/** The simulated node, as it was reached. */
export interface SandboxNode {
  readonly alias: string
  readonly pubkey: string
  /** Pairs one client of the user's with the node. */
  readonly phrase: string
}

/** Makes the sandbox's hub; nothing is bound before `listen`. */
export function createSandbox(config: Config, log: Log): Sandbox {
  return new RunningSandbox(createHub(config, { log }), log.child({ simulated: true }))
}

class RunningSandbox implements Sandbox {
  readonly #hub: Hub
  readonly #log: Log
  readonly #simulated: SimulatedNode = createSimulatedNode({ alias: 'sandbox' })
  readonly #sessions: Listener[] = []
  #client: PairedNode | undefined
  #node: SandboxNode | undefined

  constructor(hub: Hub, log: Log) {
    this.#hub = hub
    this.#log = log
  }

  get address(): string | undefined {
    return this.#hub.address
  }

  get node(): SandboxNode | undefined {
    return this.#node
  }

  async listen(): Promise<string> {
    const address = await this.#hub.listen()
    try {
      const [own, offered] = await Promise.all([this.#session(address), this.#session(address)])
      this.#client = await connect({ mailbox: address, phrase: own, log: this.#log })
      const { alias, identityPubkey } = await this.#client.getInfo()
      this.#node = { alias, pubkey: identityPubkey, phrase: offered }
      this.#log.info({ alias, pubkey: identityPubkey }, 'the simulated node answers over LNC')
      return address
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#client?.close()
    await Promise.all(this.#sessions.map((session) => session.close()))
    this.#simulated.server.forceShutdown()
    await this.#hub.close()
  }

  /** Lets the node wait at the relay for one more client; its phrase. */
  async #session(mailbox: string): Promise<string> {
    const session = await listen({
      mailbox,
      server: this.#simulated.server,
      authData: `Macaroon: ${this.#simulated.adminMacaroon}`,
      log: this.#log,
    })
    this.#sessions.push(session)
    return session.phrase ?? ''
  }
}
