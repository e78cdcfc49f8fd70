/** What a node says of itself when it is asked just now. */
import type { Clock } from '../base/clock.ts'
import { isPinholeError } from '../base/errors.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { askIdentity, type Identity } from './identity.ts'
import { checkPermissions, type Permission } from './permissions.ts'

const TIMEOUT_MS = 10_000

/** The answers of a node. */
export interface Survey {
  /** `undefined` when the session may not call `GetInfo`. */
  readonly identity: Identity | undefined
  readonly permissions: readonly Permission[]
  /** Round trip of one call, in milliseconds. */
  readonly latencyMs: number
  /** What all its channels can take in; `undefined` when the session may not ask for it. */
  readonly receivableMsat: bigint | undefined
}

/** A node by its name, its session and its answers. */
export interface SurveyedNode extends Survey {
  readonly name: string
  /** Its relay; empty for an lnd that is reached directly. */
  readonly mailbox: string
  readonly insecureTls: boolean
  readonly expiresAt: Date | undefined
}

/** Asks `node`, whose macaroon in hex is `macaroon`. @throws ERR_NODE_… when it does not answer */
export async function surveyNode(
  node: LightningNode,
  macaroon: string,
  clock: Clock,
): Promise<Survey> {
  const startedAt = clock.now()
  const identity = await askIdentity(node)
  const latencyMs = Math.round(clock.now() - startedAt)
  const [permissions, receivableMsat] = await Promise.all([
    checkPermissions(node, macaroon),
    askReceivable(node),
  ])
  return { identity, permissions, latencyMs, receivableMsat }
}

/** lnd refuses the call itself when the macaroon does not allow it. */
async function askReceivable(node: LightningNode): Promise<bigint | undefined> {
  try {
    const { remoteBalance } = await node.channelBalance({ timeoutMs: TIMEOUT_MS })
    return remoteBalance?.msat ?? 0n
  } catch (reason) {
    if (isPinholeError(reason, 'ERR_NODE_PERMISSION', 'ERR_NODE_CALL')) return undefined
    throw reason
  }
}
