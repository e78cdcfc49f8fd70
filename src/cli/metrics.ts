/** `pinhole metrics`: every figure that a running hub counts. */
import type { Command } from 'commander'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'

/** The command. */
export function metricsCommand({ output }: CommandContext): Command {
  return hubCommand(
    'metrics',
    'every figure that is counted, in the text format of Prometheus',
  ).action(async (options: ReachOptions) => {
    const text = await askHub(options, output, (client) => client.getMetrics())
    output.stdout.write(options.json === true ? `${JSON.stringify({ metrics: text })}\n` : text)
  })
}
