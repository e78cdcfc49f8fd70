/** One node of a running hub: its line, who it is, and what is logged of it. */
import type { Clock } from '../base/clock.ts'
import type { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { askIdentity, type Identity } from './identity.ts'
import { LineInvoiceNode } from './invoice-node.ts'
import type { Line, Standing } from './line.ts'
import type { Keeper } from './keeper.ts'

/** What a hub's node is made of. */
export interface HubNodeOptions {
  readonly line: Line
  readonly kind: 'lnc' | 'lnd'
  /** Who it was when it was last asked. */
  readonly identity: Identity | undefined
  /** When it was paired, in milliseconds since 1970; a name may be given again. */
  readonly madeMs: number | undefined
  /** The network that the configuration names; empty for any. */
  readonly network: string
  /** Keeps who the node is. */
  readonly remember: (identity: Identity) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** A node that a hub is connected to, or tries to be. */
export class HubNode extends LineInvoiceNode {
  readonly kind: 'lnc' | 'lnd'
  readonly line: Line
  readonly madeMs: number | undefined
  readonly #options: HubNodeOptions
  readonly #replaced = new Set<() => void>()
  #identity: Identity | undefined
  #keeper: Keeper | undefined

  constructor(options: HubNodeOptions) {
    super(options.line, options.clock)
    this.kind = options.kind
    this.line = options.line
    this.madeMs = options.madeMs
    this.#options = options
    this.#identity = options.identity
    let before: Standing['name'] = options.line.standing.name
    this.line.onChange((standing) => {
      if (standing.name !== before) this.#tell(standing)
      before = standing.name
    })
  }

  /** Who it is, once it has said so. */
  get identity(): Identity | undefined {
    return this.#identity
  }

  /** Why there is no connection, where that is known. */
  get reason(): PinholeError | undefined {
    const { standing } = this.line
    return 'reason' in standing ? standing.reason : undefined
  }

  onReplaced(listener: () => void): () => void {
    this.#replaced.add(listener)
    return () => this.#replaced.delete(listener)
  }

  /** Gives the node what keeps its line up. */
  keepBy(keeper: Keeper): this {
    this.#keeper = keeper
    return this
  }

  /** Drops the connection and makes a new one. */
  reconnect(): void {
    this.#keeper?.renew()
  }

  /** Ends the connection. Never rejects. */
  async close(): Promise<void> {
    await this.#keeper?.close()
  }

  #tell(standing: Standing): void {
    const { log } = this.#options
    switch (standing.name) {
      case 'ready':
        log.info({}, 'the node is connected')
        void this.#meet(standing.node)
        break
      case 'connecting':
        break
      case 'away': {
        const { code, message } = standing.reason
        log.warn({ code, reason: message }, 'the node is away')
      }
    }
  }

  /** Learns who is at the other end; not knowing it stops nothing. */
  async #meet(node: LightningNode): Promise<void> {
    const { log, network, remember } = this.#options
    try {
      const identity = await askIdentity(node)
      if (!identity) return
      const { pubkey: known = identity.pubkey } = this.#identity ?? {}
      if (known !== identity.pubkey) {
        log.warn({ pubkey: identity.pubkey, before: known }, 'another node is paired than before')
        for (const listener of [...this.#replaced]) listener()
      }
      if (network !== '' && identity.network !== '' && network !== identity.network) {
        const named = { network: identity.network, configured: network }
        log.error(named, 'the node is on another network than authenticator.network')
      }
      const news = JSON.stringify(identity) !== JSON.stringify(this.#identity)
      this.#identity = identity
      if (news) await remember(identity)
    } catch (error) {
      log.debug({ error }, 'the node did not say who it is')
    }
  }
}
