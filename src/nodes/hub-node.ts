/** One node of a running hub: its line, who it is, and what is logged of it. */
import type { Clock } from '../base/clock.ts'
import { toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { payeeOf } from '../bolt11/signature.ts'
import type { InvoiceTerms, MadeInvoice } from '../invoices/node.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { askIdentity, type Identity } from './identity.ts'
import { LineInvoiceNode } from './invoice-node.ts'
import { isOfNetwork } from './network.ts'
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
  /** Whose invoices are made, where nothing else tells who the node is. */
  #payee: string | undefined
  /** Whether this connection has told whose it is. */
  #met = false
  #misplaced: PinholeError | undefined
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

  /** Why there is no connection, where that is known; or why nothing is sold by the one that there is. */
  get reason(): PinholeError | undefined {
    const { standing } = this.line
    return 'reason' in standing ? standing.reason : this.#misplaced
  }

  /** Rejects with `ERR_NODE_NETWORK` besides: coins of a test network would buy what real ones are asked for. */
  override async addInvoice(terms: InvoiceTerms): Promise<MadeInvoice> {
    const made = await super.addInvoice(terms)
    const { paymentRequest } = made
    this.#place(isOfNetwork(paymentRequest, this.#options.network), 'another network')
    if (this.#misplaced) throw this.#misplaced
    if (!this.#met) this.#recognise(paymentRequest)
    return made
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
        this.#met = false
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
      this.#met = true
      this.#compare(identity.pubkey)
      const elsewhere = network !== '' && identity.network !== '' && network !== identity.network
      this.#place(!elsewhere, identity.network)
      const news = JSON.stringify(identity) !== JSON.stringify(this.#identity)
      this.#identity = identity
      if (news) await remember(identity)
    } catch (error) {
      log.debug({ error }, 'the node did not say who it is')
    }
  }

  /** Learns from whoever signs its invoices whether it is the node of before: most macaroons do not allow to ask. */
  #recognise(paymentRequest: string): void {
    this.#met = true
    try {
      this.#compare(toHex(payeeOf(paymentRequest)))
    } catch (error) {
      this.#options.log.debug({ error }, 'an invoice does not say whose it is')
    }
  }

  #compare(pubkey: string): void {
    if (pubkey === '') return
    const known = this.#payee ?? (this.#identity?.pubkey || pubkey)
    this.#payee = pubkey
    if (known === pubkey) return
    this.#options.log.warn({ pubkey, before: known }, 'another node is paired than before')
    this.#part()
  }

  #place(right: boolean, network: string): void {
    if (right) this.#misplaced = undefined
    if (right || this.#misplaced) return
    const { log, network: configured } = this.#options
    const text = `the node is on ${network}, where authenticator.network says ${configured}`
    this.#misplaced = new PinholeError('ERR_NODE_NETWORK', text)
    log.error({ network, configured }, 'the node is on another network than authenticator.network')
    this.#part()
  }

  /** What was made ahead is none of this node's. */
  #part(): void {
    for (const listener of [...this.#replaced]) listener()
  }
}
