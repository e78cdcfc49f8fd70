/** `pinhole node`: the paired nodes. */
import { Command } from 'commander'
import type { AdminClient } from '../admin/client.ts'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { hubCommand, type ReachOptions } from './hub-client.ts'
import type { StoredNodes } from './open-rows.ts'
import { type Output, writeResult } from './output.ts'

interface RemoveOptions extends ReachOptions {
  readonly dryRun?: boolean
}

const HELP = `
While a hub runs that has its admin API (admin.enabled) and lets this user in, it is the hub that does this, and it uses
what has changed from then on. Where none does, the database is used; a hub that runs all the same takes that in at
SIGHUP.

Examples:
  pinhole node list
  pinhole node info shop
  pinhole node reconnect shop
  pinhole node remove shop --dry-run
`

const SESSION_GOES_ON =
  'Its session goes on at the node until it expires or is revoked (litcli sessions revoke).\n'

/** The command and those below it. */
export function nodeCommand({ output, finish }: CommandContext): Command {
  const parent = new Command('node').description('the paired nodes').addHelpText('after', HELP)
  parent.addCommand(
    hubCommand('list', 'what is known of each, and of its connection to a running hub').action(
      (options: ReachOptions) => list(options, output),
    ),
  )
  parent.addCommand(
    hubCommand('info', 'asks a node who it is, and shows what it says and allows')
      .argument('<name>')
      .action((name: string, options: ReachOptions) => info(name, options, output)),
  )
  parent.addCommand(
    hubCommand('reconnect', 'lets a running hub connect to a node anew')
      .argument('<name>')
      .action((name: string, options: ReachOptions) => reconnect(name, options, output)),
  )
  parent.addCommand(
    hubCommand('remove', 'forgets a node, its keys and its unsold invoices')
      .argument('<name>')
      .option('--dry-run', 'only say what would be; ends with 10')
      .action(async (name: string, options: RemoveOptions) =>
        finish(await remove(name, options, output)),
      ),
  )
  return parent
}

/** By the hub that runs, or by what is stored. */
async function either<T>(
  options: ReachOptions,
  output: Output,
  {
    byHub,
    stored,
  }: {
    readonly byHub: (client: AdminClient) => Promise<T>
    readonly stored: (nodes: StoredNodes) => Promise<T>
  },
): Promise<T> {
  const { runningHub } = await import('./running-hub.ts')
  const hub = await runningHub(options, output)
  if (hub) return byHub(hub.client)
  const { withStoredNodes } = await import('./open-rows.ts')
  return withStoredNodes(options, stored)
}

const list = (options: ReachOptions, output: Output): Promise<void> =>
  either(options, output, {
    byHub: async (client) =>
      (await import('./hub-nodes.ts')).listHubNodes(client, output, options.json ?? false),
    stored: async (nodes) =>
      (await import('./run-node.ts')).listNodes(nodes, output, options.json ?? false),
  })

const info = (name: string, options: ReachOptions, output: Output): Promise<void> =>
  either(options, output, {
    byHub: async (client) =>
      (await import('./hub-nodes.ts')).showHubNode(name, client, output, options.json ?? false),
    stored: async (nodes) =>
      (await import('./run-node.ts')).showNode(name, nodes, output, options.json ?? false),
  })

async function reconnect(name: string, options: ReachOptions, output: Output): Promise<void> {
  await either(options, output, {
    byHub: (client) => client.reconnectNode({ name }),
    stored: () => {
      const text = 'no hub runs here, or it lets nobody in: there is no connection to renew'
      return Promise.reject(new PinholeError('ERR_HUB_UNREACHABLE', text))
    },
  })
  writeResult(output, { reconnecting: name }, options.json ?? false)
}

async function remove(name: string, options: RemoveOptions, output: Output): Promise<ExitCode> {
  const { dryRun = false, json = false } = options
  const orphans = await either(options, output, {
    byHub: async (client) => {
      await client.removeNode({ name, ...(dryRun ? { dry_run: true } : {}) })
      // Whoever may not read services may remove nodes all the same.
      const { services } = await client.listServices().catch(() => ({ services: [] }))
      return paidTo(name, services)
    },
    stored: async (nodes) => {
      await (await import('./run-node.ts')).removeNode(name, nodes, dryRun)
      return paidTo(name, nodes.config.services)
    },
  })
  if (orphans.length > 0) {
    const named = orphans.join(', ')
    output.stderr.write(`Services that cannot be bought without the node ${name}: ${named}\n`)
  }
  writeResult(output, dryRun ? { would_remove: name } : { removed: name }, json)
  if (dryRun) return Exit.dryRun
  output.stderr.write(SESSION_GOES_ON)
  return Exit.ok
}

/** Names of the services that name the node. */
const paidTo = (
  node: string,
  services: readonly { readonly name: string; readonly node: string }[],
): readonly string[] => services.filter((one) => one.node === node).map(({ name }) => name)
