/** `pinhole info` and `pinhole health`: what a running hub says of itself. */
import type { Command } from 'commander'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, reachHub, type ReachOptions } from './hub-client.ts'
import { writeResult } from './output.ts'

/** `pinhole info`. */
export function infoCommand({ output }: CommandContext): Command {
  return hubCommand('info', 'what a running hub is and where it listens').action(
    async (options: ReachOptions) => {
      const info = await askHub(options, output, (client) => client.getInfo())
      writeResult(output, info, options.json ?? false)
    },
  )
}

const HEALTH_HELP = `
Needs no macaroon. Ends with 3 when no hub answers, which a health check of a container can use.
`

/** `pinhole health`. */
export function healthCommand({ output }: CommandContext): Command {
  return hubCommand('health', 'whether a running hub answers')
    .addHelpText('after', HEALTH_HELP)
    .action(async (options: ReachOptions) => {
      const { client } = await reachHub(options, output, { anonymous: true })
      writeResult(output, await client.getHealth(), options.json ?? false)
    })
}
