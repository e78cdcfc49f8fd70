/** `pinhole backup`: a copy of the database of a running hub. */
import type { Command } from 'commander'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { writeResult } from './output.ts'

/** A large database takes its time, in milliseconds. */
const TIMEOUT_MS = 600_000

const HELP = `
The copy lies on the machine of the hub, in the folder backups of its base folder. It opens what was sold: keep it as
well as the database itself. The keys of paired nodes in it are encrypted under node.key, which is not copied.
`

/** The command. */
export function backupCommand({ output }: CommandContext): Command {
  return hubCommand('backup', 'copy the database of a running hub')
    .addHelpText('after', HELP)
    .action(async (options: ReachOptions) => {
      const copy = await askHub(options, output, (client) =>
        client.backup({}, { timeoutMs: TIMEOUT_MS }),
      )
      writeResult(output, copy, options.json ?? false)
    })
}
