/** The nodes of a hub: the one that the configuration names, and all that were paired. */
import { systemClock, type Clock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { nodeWallet } from '../client/node-wallet.ts'
import type { Wallet } from '../client/wallet.ts'
import type { Config } from '../config/load.ts'
import type { NodeSource } from '../invoices/node.ts'
import type { Imported } from '../store/imported.ts'
import type { NodeRow, NodeRows } from '../store/node-rows.ts'
import { parseLndAddress } from '../agent/lnd-files.ts'
import type { ConnectOptions } from '../../mailbox/connect/connect.ts'
import { nodeCrypto } from '../../mailbox/crypto/node.ts'
import { phraseId } from '../../mailbox/pairing/phrase-id.ts'
import { parsePhrase } from '../../mailbox/phrase.ts'
import { asPinholeError, isPinholeError, PinholeError } from '../base/errors.ts'
import { adoptSession } from './adopt.ts'
import { unknownNode } from './connect-stored.ts'
import { HubNode } from './hub-node.ts'
import type { Identity } from './identity.ts'
import { Line } from './line.ts'
import { keepLncLine } from './lnc-line.ts'
import { keepLndLine, lndAddress } from './lnd-line.ts'
import { CONFIGURED_NODE, DIRECT_NODE } from './names.ts'
import { linePayingNode } from './paying-node.ts'
import { RowEditor } from './row-editor.ts'
import { openPairing, sealedStore } from './sealed-store.ts'
import type { NodeSecret } from './secret.ts'

/** What the nodes of a hub are made of. */
export interface NodesOptions {
  readonly rows: NodeRows
  readonly secret: NodeSecret
  readonly authenticator: Config['authenticator']
  /** What was brought over from an Aperture. */
  readonly imported?: Pick<Imported, 'lncSessions' | 'adopted'> | undefined
  /** Certificates in PEM that relays are trusted by, in place of the system's. */
  readonly ca?: string | Uint8Array | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
}

/** The nodes of a hub; the configuration's is the first. */
export interface Nodes extends NodeSource {
  get(name: string | undefined): HubNode | undefined
  all(): readonly HubNode[]
  /** Pays from the node of that name, from the first one without. @throws ERR_NODE_UNKNOWN */
  wallet(name: string | undefined): Required<Wallet>
  /** Connects to nodes that were paired since, and lets go of those that were removed. */
  refresh(): Promise<void>
  /** Ends all connections. */
  close(): Promise<void>
}

/**
 * Begins to connect to all nodes and resolves at once: none has to be there.
 *
 * @throws ERR_NODE_SECRET for a row that this secret does not open, ERR_CONFIG_VALUE for a phrase or an address
 * that is none
 */
export async function openNodes(options: NodesOptions): Promise<Nodes> {
  const nodes = new RunningNodes(options)
  await nodes.begin()
  return nodes
}

/** What is known of a node from its row; the configuration's node is the same whenever its row was made. */
type KnownRow = Pick<NodeRow, 'alias' | 'pubkey' | 'network'> & {
  readonly createdAtMs: number | undefined
}

class RunningNodes implements Nodes {
  readonly #options: NodesOptions
  readonly #editor: RowEditor
  readonly #clock: Clock
  readonly #log: Log
  #nodes: readonly HubNode[] = []
  #closing: Promise<void> | undefined

  constructor(options: NodesOptions) {
    this.#options = options
    this.#editor = new RowEditor(options.rows)
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
  }

  async begin(): Promise<void> {
    const { authenticator, imported, secret } = this.#options
    if (authenticator.disable) return
    checkAuthenticator(authenticator)
    if (imported) {
      await adoptSession({ imported, authenticator, secret, editor: this.#editor })
    }
    if (authenticator.passphrase !== '') await this.#partWithAnother(authenticator.passphrase)
    await this.refresh()
  }

  /** A new phrase is a new pairing: what the node of the one before has made ahead would pay that one. */
  async #partWithAnother(phrase: string): Promise<void> {
    const { rows, secret } = this.#options
    const row = rows.get(CONFIGURED_NODE)
    if (!row) return
    const { pairing } = await openPairing(row, secret)
    if (pairing.phraseId === phraseId(phrase, nodeCrypto)) return
    await rows.dropInvoices(CONFIGURED_NODE)
  }

  get(name: string | undefined): HubNode | undefined {
    if (name === undefined) return this.#nodes[0]
    return this.#nodes.find((node) => node.name === name)
  }

  all(): readonly HubNode[] {
    return this.#nodes
  }

  wallet(name: string | undefined): Required<Wallet> {
    const node = this.get(name)
    if (!node) throw unknownNode(name ?? CONFIGURED_NODE)
    return nodeWallet(linePayingNode(node.line))
  }

  async refresh(): Promise<void> {
    const { authenticator, rows } = this.#options
    if (this.#ending() || authenticator.disable) return
    const { lndhost, passphrase } = authenticator
    const stored = await this.#stored(rows.list())
    if (this.#ending()) return
    const known = (name: string, madeMs?: number) =>
      this.#nodes.find((node) => node.name === name && node.madeMs === madeMs)
    const first: HubNode[] = []
    if (lndhost !== '') first.push(known(DIRECT_NODE) ?? this.#direct())
    if (passphrase !== '') first.push(known(CONFIGURED_NODE) ?? this.#configured())
    const taken = new Set(first.map(({ name }) => name))
    const others = stored
      .filter(({ row }) => !taken.has(row.name))
      .map(
        ({ row, insecureTls }) =>
          known(row.name, row.createdAtMs) ?? this.#paired(row, insecureTls),
      )
    const before = this.#nodes
    this.#nodes = [...first, ...others]
    const gone = before.filter((node) => !this.#nodes.includes(node))
    await Promise.all(gone.map((node) => node.close()))
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#nodes.map((node) => node.close())).then(() => {})
    return this.#closing
  }

  #ending(): boolean {
    return this.#closing !== undefined
  }

  /**
   * The rows with what they keep sealed. A command that was killed while it gave a node its name has left two
   * rows of one pairing, of which the first counts: two connections would cut each other off.
   */
  async #stored(rows: readonly NodeRow[]): Promise<{ row: NodeRow; insecureTls: boolean }[]> {
    const keys = new Set<string>()
    const found: { row: NodeRow; insecureTls: boolean }[] = []
    for (const row of rows) {
      if (row.kind !== 'lnc') continue
      const { pairing, insecureTls } = await openPairing(row, this.#options.secret)
      const key = pairing.localKey.join()
      if (!keys.has(key)) found.push({ row, insecureTls })
      keys.add(key)
    }
    return found
  }

  #direct(): HubNode {
    const address = lndAddress(this.#options.authenticator)
    const { node, line, log } = this.#make(DIRECT_NODE, 'lnd', undefined)
    return node.keepBy(keepLndLine({ line, address, clock: this.#clock, log }))
  }

  #configured(): HubNode {
    const { passphrase, mailboxaddress, devserver } = this.#options.authenticator
    const row = this.#options.rows.get(CONFIGURED_NODE)
    const known = row && { ...row, createdAtMs: undefined }
    return this.#lnc(CONFIGURED_NODE, known, {
      phrase: passphrase,
      mailbox: mailboxaddress,
      insecureTls: devserver,
    })
  }

  #paired(row: NodeRow, insecureTls: boolean): HubNode {
    return this.#lnc(row.name, row, { insecureTls })
  }

  #lnc(
    name: string,
    row: KnownRow | undefined,
    how: Pick<ConnectOptions, 'phrase' | 'mailbox'> & { readonly insecureTls: boolean },
  ): HubNode {
    const { secret, ca } = this.#options
    const { node, line, log } = this.#make(name, 'lnc', row)
    const clock = this.#clock
    const store = sealedStore({ editor: this.#editor, secret, name, clock, ...how })
    return node.keepBy(keepLncLine({ line, connecting: { ...how, store, ca }, clock, log }))
  }

  #make(name: string, kind: 'lnc' | 'lnd', row: KnownRow | undefined) {
    const clock = this.#clock
    const log = this.#log.child({ node: name })
    const line = new Line(name, clock)
    const { alias = '', pubkey, network = '' } = row ?? {}
    const identity = pubkey === undefined ? undefined : { alias, pubkey, network }
    const node = new HubNode({
      line,
      kind,
      identity,
      madeMs: row?.createdAtMs,
      network: this.#options.authenticator.network,
      remember: (news: Identity) => this.#editor.edit(name, (now) => now && { ...now, ...news }),
      clock,
      log,
    })
    return { node, line, log }
  }
}

function checkAuthenticator({ lndhost, passphrase }: Config['authenticator']): void {
  try {
    if (lndhost !== '') parseLndAddress(lndhost)
    if (passphrase !== '') parsePhrase(passphrase)
  } catch (reason) {
    const key = isPinholeError(reason, 'ERR_AGENT_LND') ? 'lndhost' : 'passphrase'
    const { message } = asPinholeError(reason, 'ERR_CONFIG_VALUE')
    throw new PinholeError('ERR_CONFIG_VALUE', `authenticator.${key}: ${message}`, {
      cause: reason,
    })
  }
}
