/** Connects once to a stored node: for a command that asks it something and ends. */
import { type Clock, systemClock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { PairedNode } from '../../mailbox/connect/connect.ts'
import { connect } from '../../mailbox/connect/node.ts'
import type { NodeRows } from '../store/node-rows.ts'
import { RowEditor } from './row-editor.ts'
import { openPairing, sealedStore } from './sealed-store.ts'
import type { NodeSecret } from './secret.ts'

/** Which node, and how to connect. */
export interface ConnectStoredOptions {
  readonly rows: NodeRows
  readonly secret: NodeSecret
  readonly name: string
  /** Certificates in PEM to trust in place of the system's. */
  readonly ca?: string | Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
}

/**
 * Meets the node again by its stored keys.
 *
 * @throws ERR_NODE_UNKNOWN, ERR_NODE_SECRET, and what `connect` throws: ERR_SESSION_IN_USE while a hub has it
 */
export async function connectStored(options: ConnectStoredOptions): Promise<PairedNode> {
  const { rows, secret, name, ca, signal, timeoutMs, clock = systemClock, log } = options
  const row = rows.get(name)
  if (!row) throw unknownNode(name)
  const { insecureTls } = await openPairing(row, secret)
  const store = sealedStore({ editor: new RowEditor(rows), secret, name, insecureTls, clock })
  return connect({ store, insecureTls, ca, signal, timeoutMs, clock, log })
}

/** The error of a name that no node has. */
export const unknownNode = (name: string): PinholeError =>
  new PinholeError('ERR_NODE_UNKNOWN', `no node is paired under the name ${JSON.stringify(name)}`)
