/** The nodes that are paid: shown, paired, asked, connected anew and removed. */
import { isPinholeError, PinholeError } from '../../base/errors.ts'
import type { SessionState } from '../../../mailbox/connect/state.ts'
import { permissionAdvice } from '../../cli/permission-lines.ts'
import type { InvoiceHealth } from '../../invoices.ts'
import type { HubNode } from '../../nodes/hub-node.ts'
import type { Identity } from '../../nodes/identity.ts'
import { DIRECT_NODE } from '../../nodes/names.ts'
import { unknownNode } from '../../nodes/connect-stored.ts'
import type { Nodes } from '../../nodes/nodes.ts'
import type { SurveyedNode } from '../../nodes/survey.ts'
import type { Node, NodeReport } from '../contract.ts'
import type { AdminDeps } from '../deps.ts'
import type { HubEvents } from '../hub-events.ts'
import type { Operations } from '../operations.ts'
import { refuse } from './service-rules.ts'

/** Tells of a pairing that the words were good for. */
function stages(events: HubEvents, name: string) {
  let begun = false
  const tell = (stage: string, reason = '') => {
    begun = true
    events.tell({ type: 'pairing', name, stage, reason })
  }
  return {
    onState: (state: SessionState): void => {
      if (state.name === 'ready') tell('asking')
      else if (state.name !== 'closed') tell('connecting', state.reason?.message)
    },
    paired: (as: string) => events.tell({ type: 'pairing', name: as, stage: 'paired', reason: '' }),
    failed: (reason: unknown): void => {
      if (begun) tell('failed', isPinholeError(reason) ? reason.message : 'it failed')
    },
  }
}

type Names = 'listNodes' | 'pairNode' | 'testNode' | 'reconnectNode' | 'removeNode'

/** The operations on nodes. */
export function nodeOperations(deps: AdminDeps): Pick<Operations, Names> {
  const { invoices, nodes } = deps
  return {
    listNodes: async () => ({
      nodes: invoices.state.map((state) => shownNode(state, nodes, invoices.deaf(state.node))),
    }),
    async pairNode({ phrase, mailbox, name, insecure_tls: insecureTls }, { signal }) {
      const left = goneSignal(signal)
      const told = stages(deps.events, name)
      const { mailboxaddress: otherwise } = deps.config().authenticator
      try {
        const paired = await running(nodes).pair({
          phrase,
          mailbox: { given: mailbox || undefined, otherwise },
          name: name || undefined,
          insecureTls,
          signal: left,
          onState: told.onState,
        })
        told.paired(paired.name)
        return shownReport(paired)
      } catch (reason) {
        told.failed(reason)
        throw isPinholeError(reason, 'ERR_CLI_USAGE', 'ERR_CONFIG_VALUE')
          ? new PinholeError('ERR_ADMIN_REQUEST', reason.message)
          : reason
      }
    },
    testNode: async ({ name }) => shownReport(await running(nodes).survey(name)),
    async reconnectNode({ name }) {
      known(running(nodes), name).reconnect()
      return { status: 'reconnecting' }
    },
    async removeNode({ name, dry_run: dryRun }) {
      const own = running(nodes)
      known(own, name)
      if (own.configured(name) && !own.sandbox) {
        const key = name === DIRECT_NODE ? 'lndhost' : 'passphrase'
        refuse(`the node ${name} is in the configuration: remove authenticator.${key} there`)
      }
      // A sandbox refuses, also to say what would be done.
      if (!dryRun || own.sandbox) await own.remove(name)
      return { status: 'removed' }
    },
  }
}

/** Aborted when the caller has gone, with an error of ours. */
function goneSignal(signal: AbortSignal): AbortSignal {
  const left = new AbortController()
  const abort = () => {
    left.abort(new PinholeError('ERR_SESSION_CLOSED', 'the caller has given the pairing up'))
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return left.signal
}

/** A hub that was given its nodes by the program that made it pairs none. */
function running(nodes: Nodes | undefined): Nodes {
  if (nodes) return nodes
  throw new PinholeError('ERR_ADMIN_OPERATION', 'this hub was given its nodes by its program')
}

function known(nodes: Nodes, name: string): HubNode {
  const node = nodes.get(name)
  if (!node) throw unknownNode(name)
  return node
}

function shownNode(health: InvoiceHealth, nodes: Nodes | undefined, deaf = ''): Node {
  const { node: name, state, ready: pooled, subscribed } = health
  const node = nodes?.get(name)
  const { kind = 'lnc', reason } = node ?? {}
  return {
    name,
    kind,
    state,
    reason: reason?.message ?? deaf,
    ...who(node?.identity),
    configured: nodes ? nodes.configured(name) : true,
    pooled,
    subscribed,
  }
}

const who = (identity: Identity | undefined): Identity =>
  identity ?? { alias: '', pubkey: '', network: '' }

function shownReport(node: SurveyedNode): NodeReport {
  const { identity, mailbox, insecureTls, expiresAt, permissions, receivableMsat } = node
  const relay = mailbox === '' ? undefined : { mailbox, insecureTls }
  return {
    name: node.name,
    ...who(identity),
    mailbox,
    expires_at: expiresAt?.toISOString() ?? '',
    permissions: permissions.map(({ method, purpose, allowed }) => ({ method, purpose, allowed })),
    advice: permissionAdvice(permissions, relay),
    latency_ms: node.latencyMs,
    receivable_msat: receivableMsat === undefined ? '' : String(receivableMsat),
  }
}
