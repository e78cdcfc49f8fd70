/** The whole: two lnd with a channel, relay, agent, hub, upstreams, and buyers that pay. */
import type grpc from '@grpc/grpc-js'
import { payingFetch, payingInterceptor, memoryTokens } from '../../../src/client/index.ts'
import { Agent } from '../../interop/agent.ts'
import { Relay } from '../../interop/relays.ts'
import { startSimnet, type Simnet } from '../../interop/simnet.ts'
import type { Undo } from '../../interop/undo.ts'
import { grpcWare, openClient } from './grpc-ware.ts'
import { HubProcess } from './hub-process.ts'
import { cheapWare, httpWare } from './http-ware.ts'
import { openPurse, type Purse } from './purse.ts'
import { startUpstreams } from './upstreams.ts'
import type { CheapWare, Ware } from './ware.ts'
import { webSocketWare } from './web-socket-ware.ts'

/** Most that a buyer gives for a token, in satoshis. */
const MAX_SATS = 20

/** Everything that runs. */
export interface Shop {
  readonly simnet: Simnet
  readonly relay: Relay
  readonly agent: Agent
  readonly hub: HubProcess
  readonly purse: Purse
  readonly wares: readonly Ware[]
  /** What a crowd buys. */
  readonly cheap: CheapWare
  /** What the pairing said. */
  readonly paired: Readonly<Record<string, unknown>>
  /** Buyers that pay by themselves, and keep what they bought. */
  readonly buyers: { readonly fetch: typeof globalThis.fetch; readonly client: grpc.Client }
}

/** Starts everything; takes some twenty seconds. */
export async function openShop(undo: Undo): Promise<Shop> {
  const [simnet, relay, upstreams] = await Promise.all([
    started(undo, startSimnet()),
    started(undo, Relay.start('pinhole')),
    startUpstreams(),
  ])
  undo.push(() => upstreams.close())
  const agent = await started(undo, Agent.start(simnet.payee, relay, 'admin'))
  const hub = await started(undo, HubProcess.create(upstreams))
  const paired = await hub.pair(agent.phrase, relay.address)
  await hub.start()
  const purse = await openPurse(simnet.payer)
  undo.push(() => purse.close())
  const calls = grpcWare(hub)
  const paying = { wallet: purse, maxSats: MAX_SATS, store: memoryTokens() }
  const client = openClient(hub, payingInterceptor({ ...paying, origin: hub.address }))
  undo.push(async () => [calls, client].forEach((one) => one.close()))
  const fetch = payingFetch({ ...paying, fetch: hub.fetch })
  const wares = [httpWare(hub), calls, webSocketWare(hub)]
  const cheap = cheapWare(hub)
  return { simnet, relay, agent, hub, purse, wares, cheap, paired, buyers: { fetch, client } }
}

async function started<T extends { stop(): Promise<void> }>(
  undo: Undo,
  starting: Promise<T>,
): Promise<T> {
  const one = await starting
  undo.push(() => one.stop())
  return one
}
