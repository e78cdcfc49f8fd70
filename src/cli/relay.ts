/** `pinhole relay`: what passes through the relay of a running hub, without a word of it. */
import type { Command } from 'commander'
import type { ResponseOf } from '../admin/contract.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { type Output, wantsJson, writeResult, writeRows } from './output.ts'

const HELP = `
Rates are those of the last seconds. Refusals are counted by reason since the hub was started.
`

/** The command. */
export function relayCommand({ output }: CommandContext): Command {
  return hubCommand('relay', 'boxes, throughput and refusals of the relay')
    .addHelpText('after', HELP)
    .action(async (options: ReachOptions) => {
      const relay = await askHub(options, output, (client) => client.getRelay())
      show(relay, output, options.json ?? false)
    })
}

function show(relay: ResponseOf<'getRelay'>, output: Output, json: boolean): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(relay)}\n`)
  const { refusals, litd_command: litd, ...figures } = relay
  writeResult(output, figures, false)
  const rows = Object.entries(refusals).map(([refused, times]) => ({ refused, times }))
  if (rows.length > 0) writeRows(output, rows, false)
  if (!relay.enabled) output.stderr.write('This hub has no relay: hashmail.enabled is off.\n')
  else output.stderr.write(`A session of litd through this relay:\n${litd}\n`)
}
