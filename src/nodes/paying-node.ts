/** A node as a wallet sees it: payments wait a moment for a node that is being connected to. */
import type { PayingNode } from '../client/node-wallet.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import type { Line } from './line.ts'

/** How long to wait for a connection, in milliseconds; a node that is away is not waited for. */
const CONNECT_MS = 20_000

/** The node at the end of `line`. Calls reject with `ERR_NODE_OFFLINE` when it is away. */
export function linePayingNode(line: Line): PayingNode {
  return {
    sendPaymentV2: (payment, options) => once(line, (node) => node.sendPaymentV2(payment, options)),
    trackPaymentV2: (payment, options) =>
      once(line, (node) => node.trackPaymentV2(payment, options)),
  }
}

async function* once<T>(
  line: Line,
  call: (node: LightningNode) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  yield* call(await line.whenReady(CONNECT_MS))
}
