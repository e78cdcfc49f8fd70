/** Header fields in the two shapes of Node: flat lists of names and values, and HTTP/2's objects. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'

/**
 * Of these Node sends one value only over HTTP/2 and throws at more. A list of two is joined; of the rest,
 * which are no lists, the first counts.
 */
const JOINED_IN_HTTP2: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization'])
// prettier-ignore
const SINGLE_IN_HTTP2: ReadonlySet<string> = new Set([
  'access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method',
  'age', 'content-encoding', 'content-language', 'content-length', 'content-location',
  'content-md5', 'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host',
  'if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since',
  'last-modified', 'location', 'max-forwards', 'range', 'referer', 'retry-after', 'tk',
  'upgrade-insecure-requests', 'user-agent', 'x-content-type-options',
])

/** The first value of `name`, which is in lower case, in a flat list. */
export function valueOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const field = fields[i] ?? ''
    if (field.length === name.length && field.toLowerCase() === name) return fields[i + 1]
  }
  return undefined
}

/** Whether several values of `name` go into one line over HTTP/2. */
export const joinsInOneLine = (name: string): boolean => JOINED_IN_HTTP2.has(name)

/** Whether of several values of `name` the first alone goes over HTTP/2. */
export const isSentOnce = (name: string): boolean => SINGLE_IN_HTTP2.has(name)

/** Adds a flat list of fields to an object for `node:http2`. */
export function addToHttp2(headers: OutgoingHttpHeaders, fields: readonly string[]): void {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase()
    const value = fields[i + 1] ?? ''
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (JOINED_IN_HTTP2.has(name)) headers[name] = `${String(before)}, ${value}`
    else if (SINGLE_IN_HTTP2.has(name)) continue
    else if (Array.isArray(before)) before.push(value)
    else headers[name] = [String(before), value]
  }
}

/** What `node:http2` received, as a flat list without pseudo-headers. */
export function fromHttp2(headers: IncomingHttpHeaders): string[] {
  const fields: string[] = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined || name.startsWith(':')) continue
    if (Array.isArray(value)) for (const one of value) fields.push(name, one)
    else fields.push(name, value)
  }
  return fields
}
