/** An operation's request as HTTP: what the path names goes there, the rest into the query or a JSON body. */
import { PinholeError } from '../../base/errors.ts'
import { type OperationName, operations, REST_PREFIX } from '../contract.ts'

/** What `fetch` takes. */
export interface HttpRequest {
  /** With the query. */
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** The header that carries the macaroon, in hex. */
export const MACAROON_HEADER = 'grpc-metadata-macaroon'

/** The request of operation `name`. Throws `ERR_ADMIN_REQUEST` for a name that no path can hold. */
export function httpRequest(
  name: OperationName,
  request: object,
  macaroon: string | undefined,
): HttpRequest {
  const { method, path } = operations[name]
  const rest = new Map(Object.entries(request).filter(([, value]) => value !== undefined))
  const filled = path.replace(/\{(\w+)\}/g, (_, parameter: string) => {
    const value: unknown = rest.get(parameter)
    rest.delete(parameter)
    return segment(parameter, value)
  })
  const headers: Record<string, string> =
    macaroon === undefined ? {} : { [MACAROON_HEADER]: macaroon }
  if (method === 'GET' || method === 'DELETE') {
    return { path: REST_PREFIX + filled + queryOf(rest), method, headers }
  }
  headers['content-type'] = 'application/json'
  const body = JSON.stringify(Object.fromEntries(rest))
  return { path: REST_PREFIX + filled, method, headers, body }
}

function segment(parameter: string, value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  if (text === '') throw new PinholeError('ERR_ADMIN_REQUEST', `${parameter} is missing`)
  // Every reader of URLs takes these for steps in the tree, also when they are encoded.
  if (text === '.' || text === '..') {
    throw new PinholeError('ERR_ADMIN_REQUEST', `${parameter} cannot be ${text}`)
  }
  return encodeURIComponent(text)
}

function queryOf(values: ReadonlyMap<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [name, value] of values) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query.toString()}`
}
