/**
 * A hub as a server of the Model Context Protocol: tools made of the admin API's contract, and two resources. What
 * changes or pays something is listed only where writing was asked for.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js'
import { isPinholeError } from '../base/errors.ts'
import { VERSION } from '../version.ts'
import type { ToolOperations } from './tool.ts'
import { TOOLS } from './tools.ts'

/** What a server offers. */
export interface McpOptions {
  /** Whether tools that change something are there at all. */
  readonly write: boolean
}

/** Arguments are names, numbers and one service's settings. */
const MAX_INPUT_ELEMENTS = 10_000

const INSTRUCTIONS =
  'Operates a Pinhole hub, which sells APIs for bitcoin over Lightning: services have prices in satoshis, ' +
  'transactions are offers of tokens (pending) and sales (settled), nodes are paid. Begin with get_info; ' +
  'run_doctor finds what is wrong and says what to do.'
const READ_ONLY = ' This connection may read only.'

/** Makes a server that carries out its tools by `operations`; connect it to a transport. */
export function createMcpServer(operations: ToolOperations, { write }: McpOptions): McpServer {
  const server = new McpServer(
    { name: 'pinhole', version: VERSION },
    {
      instructions: write ? INSTRUCTIONS : INSTRUCTIONS + READ_ONLY,
      maxToolInputElements: MAX_INPUT_ELEMENTS,
    },
  )
  for (const tool of TOOLS) {
    if (write || !tool.writes) tool.register(server, operations)
  }
  addResource(server, {
    name: 'config',
    description: 'The configuration that the hub runs by, services and all, without secrets',
    mimeType: 'application/yaml',
    read: (signal) => operations.exportConfig({}, { signal }),
  })
  addResource(server, {
    name: 'metrics',
    description: 'Every figure that is counted, in the text format of Prometheus',
    mimeType: 'text/plain',
    read: (signal) => operations.getMetrics({}, { signal }),
  })
  return server
}

interface ResourceParts {
  readonly name: string
  readonly description: string
  readonly mimeType: string
  readonly read: (signal: AbortSignal) => Promise<string>
}

function addResource(server: McpServer, { name, read, ...metadata }: ResourceParts): void {
  server.registerResource(name, `pinhole://${name}`, metadata, async (uri, { signal }) => {
    try {
      const { mimeType } = metadata
      return { contents: [{ uri: uri.href, mimeType, text: await read(signal) }] }
    } catch (reason) {
      if (!isPinholeError(reason)) throw reason
      const { message, advice, code } = reason
      throw new McpError(ErrorCode.InternalError, `${message}. ${advice} (${code})`)
    }
  })
}
