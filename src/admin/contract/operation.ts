/** How one operation of the admin API is described. */
import type { z } from 'zod'

/** What a caller must be allowed to do; each includes none of the others. `none` asks for no macaroon. */
export type Scope = 'none' | 'read' | 'write' | 'pay'

/** One operation. Path parameters, query and body together are one request. */
export interface Operation<
  Request extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  readonly scope: Scope
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/admin`, parameters in braces. */
  readonly path: string
  /** One sentence, for the OpenAPI document, the command line's help and MCP. */
  readonly summary: string
  readonly request: Request
  readonly response: Response
  /** How the answer is sent: one JSON value unless said otherwise. */
  readonly answer?: 'json' | 'csv' | 'yaml' | 'text' | 'events'
}

/** Describes an operation, with the types of its schemas kept. */
export const operation = <Request extends z.ZodType, Response extends z.ZodType>(
  described: Operation<Request, Response>,
): Operation<Request, Response> => described
