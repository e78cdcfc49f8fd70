/**
 * One request of MCP's Streamable HTTP (revision 2025-06-18). Each is answered by a server of its own, so that no
 * session has to be kept, bounded or cleared away, and what a macaroon opens is looked at every time.
 */
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { call, type Desk } from '../admin/call.ts'
import { operations as contract, type OperationName } from '../admin/contract.ts'
import { foreseen } from '../admin/failure.ts'
import type { Visitor } from '../admin/guard.ts'
import { createMcpServer, type McpOptions } from './server.ts'
import type { ToolOperations } from './tool.ts'

/** A request as far as the protocol looks at it. */
export interface McpRequest {
  readonly headers: Readonly<Record<string, string>>
  /** Read as JSON. */
  readonly body: unknown
}

/** Whose request it is, and what carries it out. */
export interface McpCaller extends McpOptions {
  readonly desk: Desk
  readonly visitor: Visitor
}

/** Only names are compared with it. */
const URL_OF_NOTHING = 'http://hub/_pinhole/mcp'

/** Answers `request`; `undefined` when whoever asked has gone. */
export async function answerMcp(
  { headers, body }: McpRequest,
  { desk, visitor, write }: McpCaller,
): Promise<Response | undefined> {
  const server = createMcpServer(operationsOf(desk, visitor), { write })
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  const { signal } = visitor
  const gone = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  try {
    await server.connect(transport)
    const request = new Request(URL_OF_NOTHING, { method: 'POST', headers })
    return await Promise.race([transport.handleRequest(request, { parsedBody: body }), gone])
  } finally {
    await server.close()
  }
}

/** The hub's operations as its own client would call them, by the visitor's macaroon. */
function operationsOf(desk: Desk, visitor: Visitor): ToolOperations {
  const methods = Object.keys(contract).map((name) => {
    const carryOut = async (request: unknown, options?: { readonly signal?: AbortSignal }) => {
      try {
        const { signal = visitor.signal } = options ?? {}
        return await call(desk, name as OperationName, request, { ...visitor, signal })
      } catch (reason) {
        throw foreseen(reason, desk.log)
      }
    }
    return [name, carryOut]
  })
  return Object.fromEntries(methods) as ToolOperations
}
