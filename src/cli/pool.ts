/** `pinhole pool`: invoices that a running hub has made ahead. */
import type { Command } from 'commander'
import type { ResponseOf } from '../admin/contract.ts'
import { MSAT_PER_SAT } from '../base/amount.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { type Row, writeAnswer } from './output.ts'

const HELP = `
An invoice made ahead is given out at once, also while the node is away. How many there are of a price follows what is
asked for; invoices.pool of the configuration bounds it.
`

/** The command. */
export function poolCommand({ output }: CommandContext): Command {
  return hubCommand('pool', 'invoices made ahead, by node and price')
    .addHelpText('after', HELP)
    .action(async (options: ReachOptions) => {
      const pool = await askHub(options, output, (client) => client.listPool())
      writeAnswer(output, options.json ?? false, pool, () => ({
        rows: pool.prices.map(rowOf),
        none: 'No invoice is made ahead: nothing was asked for yet, or invoices.pool.enabled is off.',
        remark: `${pool.prices.reduce((sum, { ready }) => sum + ready, 0)} ready`,
      }))
    })
}

type Pooled = ResponseOf<'listPool'>['prices'][number]

const rowOf = ({ node, price_msat: msat, ready, target }: Pooled): Row => ({
  node,
  sats: inSats(BigInt(msat)),
  ready,
  target,
})

/** Prices of whole satoshis as such, others to the millisatoshi. */
const inSats = (msat: bigint): string => {
  const rest = msat % MSAT_PER_SAT
  return `${msat / MSAT_PER_SAT}${rest === 0n ? '' : `.${String(rest).padStart(3, '0')}`}`
}
