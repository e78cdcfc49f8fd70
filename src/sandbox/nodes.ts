/** The one node of the sandbox, operated like any other. It cannot be removed, and none can be paired beside it. */
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { nodeWallet } from '../client/node-wallet.ts'
import type { Wallet } from '../client/wallet.ts'
import { PairedNode } from '../../mailbox/connect/connect.ts'
import { memoryStore } from '../../mailbox/pairing/pairing.ts'
import { unknownNode } from '../nodes/connect-stored.ts'
import { HubNode } from '../nodes/hub-node.ts'
import { Line } from '../nodes/line.ts'
import { keepLncLine } from '../nodes/lnc-line.ts'
import type { NodeChange, Nodes } from '../nodes/nodes.ts'
import { linePayingNode } from '../nodes/paying-node.ts'
import { type SurveyedNode, surveyNode } from '../nodes/survey.ts'

/** How long a question waits for the node while it is connected anew, in milliseconds. */
const READY_MS = 15_000

/** What the sandbox's nodes are made of. */
export interface SandboxNodesOptions {
  /** Of the one node. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
}

/** `Nodes` of one simulated node. */
export class SandboxNodes implements Nodes {
  readonly sandbox = true
  readonly line: Line
  readonly #clock: Clock
  readonly #log: Log
  readonly #node: HubNode
  #mailbox = ''

  constructor({ name, clock, log }: SandboxNodesOptions) {
    this.#clock = clock
    this.#log = log
    this.line = new Line(name, clock)
    this.#node = new HubNode({
      line: this.line,
      kind: 'lnc',
      identity: undefined,
      madeMs: undefined,
      network: '',
      // It is another one at the next start.
      remember: async () => {},
      clock,
      log,
    })
  }

  /** Begins to connect, once the relay is there. */
  connect(mailbox: string, phrase: string): void {
    this.#mailbox = mailbox
    // Its keys are for a connection that is made anew.
    const connecting = { mailbox, phrase, store: memoryStore() }
    const [line, clock, log] = [this.line, this.#clock, this.#log]
    this.#node.keepBy(keepLncLine({ line, connecting: async () => connecting, clock, log }))
  }

  get(name: string | undefined): HubNode | undefined {
    return name === undefined || name === this.line.name ? this.#node : undefined
  }

  all(): readonly HubNode[] {
    return [this.#node]
  }

  wallet(name: string | undefined): Required<Wallet> {
    return nodeWallet(linePayingNode(this.#known(name).line))
  }

  configured(name: string): boolean {
    return name === this.line.name
  }

  pair(): Promise<SurveyedNode> {
    return Promise.reject(fixed('no other node can be paired with a sandbox'))
  }

  async survey(name: string): Promise<SurveyedNode> {
    const node = await this.#known(name).line.whenReady(READY_MS)
    if (!(node instanceof PairedNode)) throw this.line.offline()
    const survey = await surveyNode(node, node.macaroon, this.#clock)
    const { expiresAt } = node
    return { ...survey, name, mailbox: this.#mailbox, insecureTls: false, expiresAt }
  }

  async remove(name: string): Promise<void> {
    this.#known(name)
    throw fixed('the node of a sandbox cannot be removed')
  }

  onChange(listener: (change: NodeChange) => void): () => void {
    return this.line.onChange(() => listener({ node: this.#node, what: 'state' }))
  }

  async refresh(): Promise<void> {}

  async close(): Promise<void> {
    await this.#node.close()
    this.line.end()
  }

  #known(name: string | undefined): HubNode {
    const node = this.get(name)
    if (!node) throw unknownNode(name ?? '')
    return node
  }
}

const fixed = (text: string) => new PinholeError('ERR_SANDBOX_NODE', text)
