/** `pinhole allowances`: how many unpaid invoices a running hub may still make. */
import type { Command } from 'commander'
import type { ResponseOf } from '../admin/contract.ts'
import { formatDuration } from '../config/duration.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { writeAnswer } from './output.ts'

const HELP = `
Who has used up an allowance gets no invoice for a while, so that nobody fills the node with invoices that are not paid.
The limits are those of invoices.allowance of the configuration.
`

/** The command. */
export function allowancesCommand({ output }: CommandContext): Command {
  return hubCommand('allowances', 'how many unpaid invoices may be made, and how many were')
    .addHelpText('after', HELP)
    .action(async (options: ReachOptions) => {
      const allowances = await askHub(options, output, (client) => client.getAllowances())
      writeAnswer(output, options.json ?? false, allowances, () => tableOf(allowances))
    })
}

function tableOf(allowances: ResponseOf<'getAllowances'>) {
  const { total, used_total: used, per_service: of, per_address: address, services } = allowances
  const per = formatDuration(allowances.per_ms)
  return {
    rows: services.map(({ service_name: service, used }) => ({ service, used, of })),
    none: 'No unpaid invoice was made lately.',
    remark: `${used} of ${total} in ${per}, at most ${address} for one address`,
  }
}
