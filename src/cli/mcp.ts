/** `pinhole mcp`: a running hub for agents, over stdin and stdout. */
import type { Command } from 'commander'
import type { CommandContext } from './command.ts'
import { hubCommand, reachHub, type ReachOptions } from './hub-client.ts'
import type { Output } from './output.ts'

interface McpOptions extends ReachOptions {
  readonly write?: boolean
}

const HELP = `
Speaks the Model Context Protocol until stdin ends. An agent's configuration:
  {"mcpServers": {"pinhole": {"command": "pinhole", "args": ["mcp"]}}}

A running hub serves the same at /_pinhole/mcp, with the macaroon as Authorization: Bearer <hex>.

Examples:
  pinhole mcp                                    look only
  pinhole mcp --write                            create, change and remove too
  pinhole mcp --macaroon read.macaroon --hub https://hub.example.com
`

/** The command. */
export function mcpCommand({ output }: CommandContext): Command {
  return hubCommand('mcp', 'lets an agent operate a running hub, over stdin and stdout')
    .option('--write', 'offer the tools that change something')
    .addHelpText('after', HELP)
    .action((options: McpOptions) => serve(options, output))
}

async function serve(options: McpOptions, output: Output): Promise<void> {
  const { client } = await reachHub(options, output)
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js')
  const { createMcpServer } = await import('../mcp/server.ts')
  const server = createMcpServer(client, { write: options.write ?? false })
  await server.connect(new StdioServerTransport())
  await new Promise<void>((resolve) => {
    const end = () => {
      process.stdin.off('end', end).off('close', end)
      process.off('SIGTERM', end).off('SIGINT', end)
      resolve()
    }
    process.stdin.on('end', end).on('close', end)
    process.on('SIGTERM', end).on('SIGINT', end)
  })
  await server.close()
}
