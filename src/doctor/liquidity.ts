/** Whether the nodes can receive what is asked for. */
import { MSAT_PER_SAT } from '../base/amount.ts'
import type { ServiceSettings } from '../selling/service-fields.ts'
import {
  type Check,
  type DoctorNode,
  failed,
  fine,
  skipped,
  type Verdict,
  warning,
  wrong,
} from './check.ts'

/** Fewer payments of the highest price than this are soon used up. */
const FEW_PAYMENTS = 20n
const ADVICE =
  'Buy or swap for incoming capacity (an LSP, a swap out), or let peers open channels to the node.'

/** The check. */
export const liquidityCheck: Check = {
  name: 'liquidity',
  limitMs: 20_000,
  async run({ nodes, services }) {
    const ready = nodes?.filter(({ state }) => state === 'ready') ?? []
    if (ready.length === 0) return [skipped('there is no node that could be asked')]
    return Promise.all(ready.map((node) => look(node, highestPrice(services, node, nodes?.[0]))))
  },
}

async function look(node: DoctorNode, highestMsat: bigint): Promise<Verdict> {
  try {
    const { receivableMsat } = await node.survey()
    if (receivableMsat === undefined) {
      const text = `${node.name}: the session may not ask what its channels can take in`
      return skipped(text, 'Allow it /lnrpc.Lightning/ChannelBalance to have it watched.')
    }
    const text = `${node.name}: its channels can take in ${receivableMsat / MSAT_PER_SAT} sat`
    if (receivableMsat < highestMsat || receivableMsat === 0n) return wrong(text, ADVICE)
    if (receivableMsat < highestMsat * FEW_PAYMENTS) {
      const few = `${text}, ${receivableMsat / highestMsat} times the highest price`
      return warning(few, ADVICE)
    }
    return fine(text)
  } catch (reason) {
    return failed(reason, `${node.name}: `)
  }
}

/** In millisatoshis, of what `node` is paid for; services without a node are paid to the first. */
function highestPrice(
  services: readonly ServiceSettings[],
  node: DoctorNode,
  first: DoctorNode | undefined,
): bigint {
  const own = services.filter(({ node: name, auth }) => {
    return auth.level !== 'off' && (name === node.name || (name === '' && node === first))
  })
  const highest = own.reduce((most, { price }) => Math.max(most, price), 0)
  return BigInt(highest) * MSAT_PER_SAT
}
