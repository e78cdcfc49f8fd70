/** `pinhole node`: the paired nodes. */
import { Command } from 'commander'
import { command, type CommandContext } from './command.ts'
import type { HubOptions, StoredNodes } from './open-rows.ts'
import type * as RunNode from './run-node.ts'

const HELP = `
Examples:
  pinhole node list
  pinhole node info shop
  pinhole node remove shop
`

/** The command and those below it. */
export function nodeCommand({ output }: CommandContext): Command {
  const parent = new Command('node').description('the paired nodes').addHelpText('after', HELP)
  const below = (name: string, summary: string) =>
    command(name, summary).option('--configfile <file>', 'configuration of the hub')
  parent.addCommand(
    below('list', 'what is stored of each; connects to none').action((options: HubOptions) =>
      onNodes(options, (run, nodes) => run.listNodes(nodes, output, options.json ?? false)),
    ),
  )
  parent.addCommand(
    below('info', 'connects to a node and shows what it says and allows')
      .argument('<name>')
      .action((name: string, options: HubOptions) =>
        onNodes(options, (run, nodes) => run.showNode(name, nodes, output, options.json ?? false)),
      ),
  )
  parent.addCommand(
    below('remove', 'forgets a node, its keys and its unsold invoices')
      .argument('<name>')
      .action((name: string, options: HubOptions) =>
        onNodes(options, (run, nodes) =>
          run.removeNode(name, nodes, output, options.json ?? false),
        ),
      ),
  )
  return parent
}

async function onNodes(
  options: HubOptions,
  action: (run: typeof RunNode, nodes: StoredNodes) => Promise<void>,
): Promise<void> {
  const [run, { withStoredNodes }] = await Promise.all([
    import('./run-node.ts'),
    import('./open-rows.ts'),
  ])
  await withStoredNodes(options, (nodes) => action(run, nodes))
}
