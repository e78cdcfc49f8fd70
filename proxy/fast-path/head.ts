/**
 * Heads of HTTP/1.1 requests that can be read in one way only (RFC 9112 §2, §3, §5). What is taken here Node's
 * strict parser takes too, and understands the same; everything else is left to it, and it may refuse.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** A head without a riddle in it: HTTP/1.1, one line for each name, framed by its length or not at all. */
export interface PlainHead {
  readonly method: string
  /** Path and query; begins with a slash and has no escape. */
  readonly url: string
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: string[]
  /** The same by name, in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Bytes of the body; 0 for none. */
  readonly length: number
  /** Whether the client wants the connection to be kept. */
  readonly keepAlive: boolean
}

/** The lines below the request line. */
export type PlainFields = Pick<PlainHead, 'rawHeaders' | 'headers' | 'length' | 'keepAlive'>

/** More than a client of good will sends, and fewer than Node reads. */
const MAX_FIELDS = 100

// No escape in the path: what a router decodes is then what was sent. A query is nobody's business here.
const REQUEST_LINE =
  /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/[\w\-.~!$&'()*+,;=:@/]*(?:\?[\x21\x22\x24-\x7e]*)?) HTTP\/1\.1$/
/** No folded line, no blank before the colon, no byte above ASCII, a value or none. */
const FIELD_LINES = /^(?:[\w!#$%&'*+\-.^`|~]+:[\t\x20-\x7e]*\r\n)+$/
const LENGTH = /^(?:0|[1-9]\d{0,8})$/
const SPACE = 0x20
/** What `Connection` may say. */
const KEPT: ReadonlyMap<string, boolean> = new Map([
  ['keep-alive', true],
  ['close', false],
])

/** Names whose meaning is for Node's own server: what they ask of a connection is done there. */
const FOR_NODE: ReadonlySet<string> = new Set([
  // No name of a header there, whatever is made of it.
  '__proto__',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The method and target of a request line without its CRLF; `undefined` for one that Node is to read. */
export function readRequestLine(line: string): Pick<PlainHead, 'method' | 'url'> | undefined {
  const [, method, url] = REQUEST_LINE.exec(line) ?? []
  return method === undefined || url === undefined ? undefined : { method, url }
}

/** The field lines of a head, each with its CRLF; `undefined` for those that Node is to read. */
export function readFields(lines: string): PlainFields | undefined {
  if (!FIELD_LINES.test(lines) || lines.includes('\t')) return undefined
  const rawHeaders: string[] = []
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(':', at)
    const next = lines.indexOf('\r\n', colon)
    const name = lines.slice(at, colon)
    const value = trimmed(lines, colon + 1, next)
    const key = name.toLowerCase()
    if (key in headers || FOR_NODE.has(key)) return undefined
    headers[key] = value
    rawHeaders.push(name, value)
    at = next + 2
  }
  if (headers.host === undefined || rawHeaders.length > 2 * MAX_FIELDS) return undefined
  const { connection = 'keep-alive', 'content-length': length = '0' } = headers
  const keepAlive = KEPT.get(connection.toLowerCase())
  if (keepAlive === undefined || !LENGTH.test(length)) return undefined
  return { rawHeaders, headers, length: Number(length), keepAlive }
}

function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && text.charCodeAt(start) === SPACE) start++
  while (end > start && text.charCodeAt(end - 1) === SPACE) end--
  return text.slice(start, end)
}
