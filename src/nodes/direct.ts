/** The lnd of the configuration, asked once: for a command. */
import { type Clock, systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { readMacaroon } from '../agent/lnd-files.ts'
import { holdProcess } from '../../mailbox/hold-process.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { Line } from './line.ts'
import { keepLndLine, type LndAddress } from './lnd-line.ts'
import { DIRECT_NODE } from './names.ts'

/** In milliseconds; an lnd that is not there is away sooner. */
const CONNECT_MS = 15_000

/** Connects, lets `action` ask, and hangs up. @throws ERR_NODE_OFFLINE, and what `action` throws */
export async function withDirectNode<T>(
  address: LndAddress,
  action: (node: LightningNode, macaroon: string) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const line = new Line(DIRECT_NODE, clock)
  const release = holdProcess()
  const keeper = keepLndLine({ line, address, clock, log: silentLog })
  try {
    const node = await line.whenReady(CONNECT_MS)
    return await action(node, await readMacaroon(address.macaroon))
  } finally {
    await keeper.close()
    release()
  }
}
