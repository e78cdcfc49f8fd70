/** The nodes of a hub: the one that the configuration names, and all that were paired. */
import { systemClock, type Clock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { nodeWallet } from '../client/node-wallet.ts'
import type { Wallet } from '../client/wallet.ts'
import type { Config } from '../config/load.ts'
import type { NodeSource } from '../invoices/node.ts'
import type { Imported } from '../store/imported.ts'
import type { NodeRow, NodeRows } from '../store/node-rows.ts'
import { parseLndAddress, readMacaroon } from '../agent/lnd-files.ts'
import { type ConnectOptions, PairedNode } from '../../mailbox/connect/connect.ts'
import { nodeCrypto } from '../../mailbox/crypto/node.ts'
import type { PairingStore } from '../../mailbox/pairing/pairing.ts'
import { phraseId } from '../../mailbox/pairing/phrase-id.ts'
import { parsePhrase } from '../../mailbox/phrase.ts'
import { asPinholeError, isPinholeError, PinholeError } from '../base/errors.ts'
import { adoptSession, type Adoption } from './adopt.ts'
import { unknownNode } from './connect-stored.ts'
import { HubNode } from './hub-node.ts'
import type { Identity } from './identity.ts'
import { Line } from './line.ts'
import { keepLncLine } from './lnc-line.ts'
import { keepLndLine, lndAddress } from './lnd-line.ts'
import { CONFIGURED_NODE, DIRECT_NODE } from './names.ts'
import { findPairing, pairNode, type PairOptions, provisionalName } from './pair.ts'
import { linePayingNode } from './paying-node.ts'
import { RowEditor } from './row-editor.ts'
import { openPairing, type SealedPairing, sealedStore } from './sealed-store.ts'
import type { NodeSecret } from './secret.ts'
import { type SurveyedNode, surveyNode } from './survey.ts'

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

/** Whom to pair with while the hub runs. */
export type PairRequest = Pick<
  PairOptions,
  'phrase' | 'mailbox' | 'name' | 'insecureTls' | 'signal' | 'onState'
>

/** What has become of a node. */
export interface NodeChange {
  readonly node: HubNode
  readonly what: 'added' | 'removed' | 'state'
}

/** The nodes of a hub; the configuration's is the first. */
export interface Nodes extends NodeSource {
  /** Whether they are simulated, and stay as they are: `ERR_SANDBOX_NODE` for who pairs or removes one. */
  readonly sandbox: boolean
  get(name: string | undefined): HubNode | undefined
  all(): readonly HubNode[]
  /** Pays from the node of that name, from the first one without. @throws ERR_NODE_UNKNOWN */
  wallet(name: string | undefined): Required<Wallet>
  /** Whether the configuration names it; such a node cannot be removed while the hub runs. */
  configured(name: string): boolean
  /**
   * Pairs a node by its words and connects to it. Words that were used here before go on with their node.
   *
   * @throws ERR_NODE_EXISTS, ERR_CLI_USAGE for a name that cannot be one, ERR_CONFIG_VALUE when nodes are switched off,
   * and what `connect` throws
   */
  pair(request: PairRequest): Promise<SurveyedNode>
  /** Asks the node of that name. @throws ERR_NODE_UNKNOWN, ERR_NODE_OFFLINE, and what its calls throw */
  survey(name: string): Promise<SurveyedNode>
  /** Forgets a node, its keys and its unsold invoices. @throws ERR_NODE_UNKNOWN, ERR_STORE_OPEN */
  remove(name: string): Promise<void>
  /** Calls `listener` after each change; the returned function ends that. */
  onChange(listener: (change: NodeChange) => void): () => void
  /** Connects to nodes that were paired since, and lets go of those that were removed. */
  refresh(): Promise<void>
  /** Ends all connections. */
  close(): Promise<void>
}

/** Whether these can be operated, and not only asked for invoices. */
export const areOperated = (source: NodeSource): source is Nodes => 'survey' in source

/**
 * Begins to connect to all nodes and resolves at once: none has to be there. One whose row the secret does not open is away
 * with `ERR_NODE_SECRET`, and is tried again as the others are.
 *
 * @throws ERR_CONFIG_VALUE for a phrase or an address that is none
 */
export async function openNodes(options: NodesOptions): Promise<Nodes> {
  const nodes = new RunningNodes(options)
  await nodes.begin()
  return nodes
}

/** How long a question waits for a node that is being connected to; one that is away is not waited for. */
const READY_MS = 15_000

/** What is known of a node from its row; the configuration's node is the same whenever its row was made. */
type KnownRow = Pick<NodeRow, 'alias' | 'pubkey' | 'network'> & {
  readonly createdAtMs: number | undefined
}

/** A row, and whether what it keeps sealed could be read. */
interface StoredRow {
  readonly row: NodeRow
  readonly opened: boolean
}

class RunningNodes implements Nodes {
  readonly sandbox = false
  readonly #options: NodesOptions
  readonly #editor: RowEditor
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners = new Set<(change: NodeChange) => void>()
  /** Ids of phrases that are being paired: their rows have no connection besides. */
  readonly #pairing = new Set<string>()
  #nodes: readonly HubNode[] = []
  #closing: Promise<void> | undefined

  constructor(options: NodesOptions) {
    this.#options = options
    this.#editor = new RowEditor(options.rows)
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
  }

  async begin(): Promise<void> {
    const { authenticator, imported } = this.#options
    if (authenticator.disable) return
    checkAuthenticator(authenticator)
    if (imported) await this.#adopt(imported)
    if (authenticator.passphrase !== '') await this.#partWithAnother(authenticator.passphrase)
    await this.refresh()
  }

  async #adopt(imported: Adoption['imported']): Promise<void> {
    const { authenticator, secret } = this.#options
    try {
      await adoptSession({ imported, authenticator, secret, editor: this.#editor })
    } catch (error) {
      if (!isPinholeError(error, 'ERR_NODE_SECRET')) throw error
      const text = "Aperture's session with its node is left for a later start"
      this.#log.error({ error, advice: error.advice }, text)
    }
  }

  /** A new phrase is a new pairing: what the node of the one before has made ahead would pay that one. */
  async #partWithAnother(phrase: string): Promise<void> {
    const { rows, secret } = this.#options
    const row = rows.get(CONFIGURED_NODE)
    const stored = row && (await openIfWeCan(row, secret))
    if (!stored || stored.pairing.phraseId === phraseId(phrase, nodeCrypto)) return
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

  configured(name: string): boolean {
    const { lndhost, passphrase } = this.#options.authenticator
    return name === DIRECT_NODE ? lndhost !== '' : name === CONFIGURED_NODE && passphrase !== ''
  }

  async pair(request: PairRequest): Promise<SurveyedNode> {
    const { rows, secret, ca, authenticator } = this.#options
    if (authenticator.disable) {
      const text = 'no node can be paired while authenticator.disable is set'
      throw new PinholeError('ERR_CONFIG_VALUE', text)
    }
    const id = phraseId(request.phrase, nodeCrypto)
    const known = await this.#pairedBy(id)
    if (known) {
      if ((request.name ?? known.name) === known.name) return this.survey(known.name)
      const text = `these words are paired under the name ${known.name}`
      throw new PinholeError('ERR_NODE_EXISTS', text)
    }
    if (this.#pairing.has(id)) {
      throw new PinholeError('ERR_NODE_EXISTS', 'these words are being paired just now')
    }
    this.#pairing.add(id)
    const reserved = (name: string) => this.configured(name)
    try {
      await this.refresh()
      const own = { rows, secret, ca, reserved, clock: this.#clock, log: this.#log }
      return await pairNode({ ...request, ...own })
    } finally {
      this.#pairing.delete(id)
      await this.refresh()
    }
  }

  /** The node of a phrase that is used up, or that the hub uses by itself. */
  async #pairedBy(id: string): Promise<HubNode | undefined> {
    const { rows, secret, authenticator } = this.#options
    const { passphrase } = authenticator
    if (passphrase !== '' && phraseId(passphrase, nodeCrypto) === id) {
      return this.get(CONFIGURED_NODE)
    }
    const { name, pairing } = (await findPairing(rows, secret, id)) ?? {}
    return name === provisionalName(id) || !pairing?.remoteKey ? undefined : this.get(name)
  }

  async survey(name: string): Promise<SurveyedNode> {
    const { rows, secret, authenticator } = this.#options
    const known = this.get(name)
    if (!known) throw unknownNode(name)
    const node = await known.line.whenReady(READY_MS)
    const paired = node instanceof PairedNode
    const { macaroon: file } = lndAddress(authenticator)
    const macaroon = paired ? node.macaroon : await readMacaroon(file)
    const survey = await surveyNode(node, macaroon, this.#clock)
    const row = paired ? rows.get(name) : undefined
    const { pairing, insecureTls = false } = row ? await openPairing(row, secret) : {}
    const expiresAt = paired ? node.expiresAt : undefined
    return { ...survey, name, mailbox: pairing?.mailbox ?? '', insecureTls, expiresAt }
  }

  async remove(name: string): Promise<void> {
    if (!(await this.#options.rows.remove(name))) throw unknownNode(name)
    await this.refresh()
  }

  onChange(listener: (change: NodeChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
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
      .map(({ row }) => known(row.name, row.createdAtMs) ?? this.#paired(row))
    this.#wake(stored)
    const before = this.#nodes
    this.#nodes = [...first, ...others]
    for (const node of this.#nodes) {
      if (!before.includes(node)) this.#tell({ node, what: 'added' })
    }
    const gone = before.filter((node) => !this.#nodes.includes(node))
    for (const node of gone) this.#tell({ node, what: 'removed' })
    await Promise.all(gone.map((node) => node.close()))
  }

  /** The key of some may have been put back. */
  #wake(stored: readonly StoredRow[]): void {
    for (const { row, opened } of stored) {
      const node = this.get(row.name)
      if (opened && node?.reason?.code === 'ERR_NODE_SECRET') node.reconnect()
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#nodes.map((node) => node.close())).then(() => {})
    return this.#closing
  }

  #tell(change: NodeChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  #ending(): boolean {
    return this.#closing !== undefined
  }

  /**
   * The rows with what they keep sealed. A command that was killed while it gave a node its name has left two
   * rows of one pairing, of which the first counts: two connections would cut each other off.
   */
  async #stored(rows: readonly NodeRow[]): Promise<StoredRow[]> {
    const keys = new Set<string>()
    const found: StoredRow[] = []
    for (const row of rows) {
      if (row.kind !== 'lnc') continue
      const { pairing } = (await openIfWeCan(row, this.#options.secret)) ?? {}
      const key = pairing ? pairing.localKey.join() : row.name
      const busy = this.#pairing.has(pairing?.phraseId ?? '')
      if (!busy && !keys.has(key)) found.push({ row, opened: pairing !== undefined })
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
    const how = { phrase: passphrase, mailbox: mailboxaddress, insecureTls: devserver }
    const store = this.#store(CONFIGURED_NODE, devserver)
    return this.#lnc(CONFIGURED_NODE, known, () => ({ ...how, store }))
  }

  #paired({ name, ...known }: NodeRow): HubNode {
    const { rows, secret } = this.#options
    return this.#lnc(name, known, async () => {
      const row = rows.get(name)
      if (!row) throw unknownNode(name)
      const { insecureTls } = await openPairing(row, secret)
      return { insecureTls, store: this.#store(name, insecureTls) }
    })
  }

  #store(name: string, insecureTls: boolean): PairingStore {
    const { secret } = this.#options
    return sealedStore({ editor: this.#editor, secret, name, insecureTls, clock: this.#clock })
  }

  #lnc(
    name: string,
    row: KnownRow | undefined,
    how: () => ConnectOptions | Promise<ConnectOptions>,
  ): HubNode {
    const { ca } = this.#options
    const { node, line, log } = this.#make(name, 'lnc', row)
    const connecting = async () => ({ ...(await how()), ca })
    return node.keepBy(keepLncLine({ line, connecting, clock: this.#clock, log }))
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
    line.onChange(() => this.#nodes.includes(node) && this.#tell({ node, what: 'state' }))
    return { node, line, log }
  }
}

/** What a row keeps sealed; `undefined` where it does not open, which its line says. */
async function openIfWeCan(row: NodeRow, secret: NodeSecret): Promise<SealedPairing | undefined> {
  try {
    return await openPairing(row, secret)
  } catch {
    return undefined
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
