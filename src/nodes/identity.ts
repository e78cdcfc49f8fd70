/** Who a node is, as it says itself. */
import { isPinholeError } from '../base/errors.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'

/** What `GetInfo` tells of a node. */
export interface Identity {
  readonly alias: string
  /** 33 bytes in hex. */
  readonly pubkey: string
  /** lnd's name of it: `mainnet`, `testnet`, `signet`, `regtest` …; empty when it does not say. */
  readonly network: string
}

const TIMEOUT_MS = 15_000
/** lnd's own limit of an alias is 32 bytes; another node may be less careful. */
const MAX_ALIAS_LENGTH = 64

/** Asks the node; `undefined` when the session may not call `GetInfo`. */
export async function askIdentity(node: LightningNode): Promise<Identity | undefined> {
  try {
    const info = await node.getInfo({ timeoutMs: TIMEOUT_MS })
    const [chain] = info.chains
    // An alias is anybody's text, and ends up in terminals.
    const alias = info.alias.replace(/\p{C}/gu, '').slice(0, MAX_ALIAS_LENGTH)
    const pubkey = /^[0-9a-f]{66}$/.test(info.identityPubkey) ? info.identityPubkey : ''
    return { alias, pubkey, network: chain?.network.replace(/[^\w-]/g, '') ?? '' }
  } catch (reason) {
    if (isPinholeError(reason, 'ERR_NODE_PERMISSION')) return undefined
    throw reason
  }
}
