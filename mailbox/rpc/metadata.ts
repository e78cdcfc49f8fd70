/** Request headers of a gRPC call, gRPC over HTTP/2 (PROTOCOL-HTTP2.md). */
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Metadata } from './rpc.ts'

const NAME = /^[0-9a-z_.-]+$/
const VALUE = /^[\x20-\x7e]*$/

/** Names that belong to gRPC or HTTP/2 themselves. */
const RESERVED: ReadonlySet<string> = new Set([
  'te',
  'content-type',
  'user-agent',
  'host',
  'connection',
  'transfer-encoding',
  'upgrade',
])

/** What is wrong with a metadata field, in words without its value, or `undefined`. */
export function metadataFault([name, value]: Metadata[number]): string | undefined {
  if (!NAME.test(name)) return 'a header name that gRPC does not allow'
  if (RESERVED.has(name) || name.startsWith('grpc-')) return `the reserved header ${name}`
  if (!VALUE.test(value)) return `a value of ${name} that is not printable ASCII`
  return undefined
}

/** The header list of a call of `path`, but for the deadline. Throws `TypeError` for bad metadata. */
export function requestFields(path: string, metadata: Metadata): Field[] {
  if (!/^\/[^/\s]+\/[^/\s]+$/.test(path)) {
    throw new TypeError(`a gRPC path is /package.Service/Method, not ${path}`)
  }
  for (const field of metadata) {
    const fault = metadataFault(field)
    if (fault) throw new TypeError(`metadata with ${fault}`)
  }
  return [
    [':method', 'POST'],
    // LNC §12: Go's client says http and lnd, whatever the connection.
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'lnd'],
    ['content-type', 'application/grpc'],
    ['user-agent', 'grpc-node-pinhole'],
    ['te', 'trailers'],
    ...metadata,
  ]
}

const UNITS = [
  ['m', 1],
  ['S', 1000],
  ['M', 60_000],
  ['H', 3_600_000],
] as const

/** `grpc-timeout` for a deadline: at most eight digits and a unit. */
export function timeoutField(timeoutMs: number): Field {
  for (const [unit, size] of UNITS) {
    const count = Math.max(1, Math.ceil(timeoutMs / size))
    if (count < 1e8) return ['grpc-timeout', `${count}${unit}`]
  }
  return ['grpc-timeout', '99999999H']
}
