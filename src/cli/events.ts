/** `pinhole events`: what happens at a running hub, as it happens. */
import type { Command } from 'commander'
import type { HubEvent } from '../admin/contract.ts'
import type { CommandContext } from './command.ts'
import { hubCommand, reachHub, type ReachOptions } from './hub-client.ts'
import { type Output, plain, wantsJson } from './output.ts'
import { untilInterrupted } from './until-interrupted.ts'

const HELP = `
One line for each offer (402), payment, use of a token, change of a node's connection, stage of a pairing and change of
the services; JSON, one object for each line, where stdout is no terminal. Ctrl-C ends it.
`

/** The command. */
export function eventsCommand({ output }: CommandContext): Command {
  return hubCommand('events', 'what happens at a running hub, as it happens')
    .addHelpText('after', HELP)
    .action((options: ReachOptions) => watch(options, output))
}

async function watch(options: ReachOptions, output: Output): Promise<void> {
  const { client } = await reachHub(options, output)
  const json = wantsJson(output, options.json ?? false)
  await untilInterrupted(output, async (signal) => {
    for await (const event of client.streamEvents({}, { signal })) {
      output.stdout.write(`${json ? JSON.stringify(event) : lineOf(event)}\n`)
    }
  })
}

function lineOf({ type, at, ...fields }: HubEvent): string {
  const words = Object.entries(fields).filter(([, value]) => value !== '')
  return [at, type, ...words.map(([name, value]) => `${name}=${plain(value)}`)].join('  ')
}
