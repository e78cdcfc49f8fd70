/** One tool of the Model Context Protocol over one operation of the admin API. */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { z } from 'zod'
import {
  type OperationName,
  operations as contract,
  type RequestOf,
  type ResponseOf,
} from '../admin/contract.ts'
import { isPinholeError } from '../base/errors.ts'

/** Operations that answer once. */
export type SingleOperation = Exclude<OperationName, 'streamEvents' | 'exportTransactions'>

/** What carries out the operations: a client of a running hub, or the hub itself. */
export type ToolOperations = {
  readonly [Name in SingleOperation]: (
    request: RequestOf<Name>,
    options?: {
      readonly signal?: AbortSignal | undefined
      readonly timeoutMs?: number | undefined
    },
  ) => Promise<ResponseOf<Name>>
}

/** A tool. */
export interface Tool {
  readonly name: string
  /** Whether it changes or pays something. */
  readonly writes: boolean
  /** Adds it to `server`. */
  register(server: McpServer, operations: ToolOperations): void
}

/** What makes a tool of an operation. */
export interface ToolParts<Name extends SingleOperation, Input extends z.ZodObject> {
  readonly operation: Name
  /** What an agent gives. */
  readonly input: Input
  /** What the operation is asked then. */
  readonly request: (input: z.output<Input>) => RequestOf<Name>
  /** In place of the operation's, of a tool that does only a part of it. */
  readonly summary?: string
  /** What an agent has to know besides. */
  readonly more?: string
  /** It takes away what cannot be had back. */
  readonly destructive?: boolean
}

/** Pairing and reconciling take longer than other calls; who does not want to wait cancels. In milliseconds. */
const TIMEOUT_MS = 150_000

/** Makes a tool. */
export function tool<Name extends SingleOperation, Input extends z.ZodObject>(
  name: string,
  parts: ToolParts<Name, Input>,
): Tool {
  const { operation, input, request, more, destructive = false } = parts
  const { scope, summary: whole } = contract[operation]
  const { summary = whole } = parts
  const writes = scope === 'write' || scope === 'pay'
  const description = more === undefined ? `${summary}.` : `${summary}. ${more}`
  const annotations = { readOnlyHint: !writes, destructiveHint: destructive, openWorldHint: false }
  return {
    name,
    writes,
    register(server, operations) {
      const call = async (given: object, { signal }: { signal: AbortSignal }) => {
        try {
          const options = { signal, timeoutMs: TIMEOUT_MS }
          return success(await operations[operation](request(input.parse(given)), options))
        } catch (reason) {
          return failure(reason)
        }
      }
      const schema: z.ZodObject = input
      server.registerTool(name, { description, inputSchema: schema, annotations }, call)
    },
  }
}

/** The answer beside its text, which is the same: not every client reads structures. */
function success(data: unknown): CallToolResult {
  return {
    content: [{ type: 'text', text: JSON.stringify(data) }],
    structuredContent: { data },
  }
}

/** What is wrong and what to do about it, as the tool's answer: an agent can act on it. */
function failure(reason: unknown): CallToolResult {
  if (!isPinholeError(reason)) throw reason
  const { code, message, advice, docs } = reason
  return {
    isError: true,
    content: [{ type: 'text', text: `${sentence(message)} ${advice} (${code}, see ${docs})` }],
    structuredContent: { error: { code, message, advice, docs } },
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
