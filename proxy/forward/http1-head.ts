/** Reads the head of an HTTP/1.1 answer (RFC 9112 §4, §5, §6), strictly: what can be read in two ways is refused. */
import { listHas } from './hop-by-hop.ts'

/** How the body of an answer ends. */
export type Framing =
  | { readonly name: 'none' }
  | { readonly name: 'length'; readonly bytes: number }
  | { readonly name: 'chunks' }
  /** With the connection. */
  | { readonly name: 'close' }

/** The head of an answer. */
export interface Head {
  readonly status: number
  readonly statusText: string
  /** Names and values in turn. */
  readonly raw: string[]
  readonly framing: Framing
  /** Whether the connection may carry another request. */
  readonly keepAlive: boolean
  /** How long an idle connection is kept, as far as the server tells, in milliseconds. */
  readonly keptMs: number | undefined
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
/** No folded line, no blank before the colon, no bare CR or LF. */
const FIELD_LINES = /^(?:[\w!#$%&'*+\-.^`|~]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/
/** RFC 9110 §5.5 lets a tab stand around a value, but some take it for a part of the value, Node among them. */
const FRAMED_BY_TAB = /\r\n(?:content-length|transfer-encoding):[^\r]*\t/i
const LENGTH = /^\d{1,15}$/
const KEPT_SECONDS = /(?:^|[,\s])timeout=(\d{1,6})(?:[,\s]|$)/i

const NONE: Framing = { name: 'none' }
const CHUNKS: Framing = { name: 'chunks' }
const CLOSE: Framing = { name: 'close' }

const SPACE = 0x20
const TAB = 0x09
const isBlank = (code: number) => code === SPACE || code === TAB

/** Reads field lines, each with its CRLF, from `from` on; names and values in turn. Throws an `Error`. */
export function readFields(text: string, from = 0): string[] {
  const lines = from === 0 ? text : text.slice(from)
  if (!FIELD_LINES.test(lines)) throw new Error('the answer has a field that is none')
  const fields: string[] = []
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(':', at)
    const next = lines.indexOf('\r\n', colon)
    let start = colon + 1
    let end = next
    while (start < end && isBlank(lines.charCodeAt(start))) start++
    while (end > start && isBlank(lines.charCodeAt(end - 1))) end--
    fields.push(lines.slice(at, colon), lines.slice(start, end))
    at = next + 2
  }
  return fields
}

/** What the fields say of the message itself. */
interface About {
  length: string | undefined
  encoding: string | undefined
  connection: string
  keepAlive: string
}

/** Their names, which are told apart from nearly all others by their lengths. */
const ABOUT_LENGTHS: ReadonlySet<number> = new Set([10, 14, 17])

function readAbout(raw: readonly string[]): About {
  const about: About = { length: undefined, encoding: undefined, connection: '', keepAlive: '' }
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!ABOUT_LENGTHS.has(name.length)) continue
    const value = raw[i + 1] ?? ''
    switch (name.toLowerCase()) {
      case 'content-length':
        if (about.length !== undefined) throw new Error('the answer has several lengths')
        about.length = value
        break
      case 'transfer-encoding':
        if (about.encoding !== undefined) throw new Error('the answer has several encodings')
        about.encoding = value
        break
      case 'connection':
        about.connection = about.connection === '' ? value : `${about.connection},${value}`
        break
      case 'keep-alive':
        about.keepAlive = value
    }
  }
  return about
}

function checkFraming({ length, encoding }: About, minor: string): void {
  if (length !== undefined && !LENGTH.test(length)) {
    throw new Error('the answer has a length that is none')
  }
  if (encoding === undefined) return
  if (length !== undefined) throw new Error('the answer has a length and an encoding')
  // Any other coding would have to be undone here, for the field ends here; nobody asks for one.
  if (encoding.toLowerCase() !== 'chunked' || minor === '0') {
    throw new Error('the answer has a transfer coding that is not known')
  }
}

/** RFC 9112 §6.3. */
function framingOf(status: number, method: string, { length, encoding }: About): Framing {
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return NONE
  if (encoding !== undefined) return CHUNKS
  return length === undefined ? CLOSE : { name: 'length', bytes: Number(length) }
}

/** Reads a head without the empty line at its end, as an answer to `method`. Throws an `Error`. */
export function readHead(text: string, method: string): Head {
  const end = text.indexOf('\r\n')
  const [, minor = '', code = '', statusText = ''] = STATUS_LINE.exec(text.slice(0, end)) ?? []
  if (code === '') throw new Error('the answer begins with no status line')
  const raw = readFields(text, end + 2)
  if (text.includes('\t') && FRAMED_BY_TAB.test(text)) {
    throw new Error('the answer has a tab in its framing')
  }
  const about = readAbout(raw)
  checkFraming(about, minor)
  const status = Number(code)
  const [, seconds] = about.keepAlive === '' ? [] : (KEPT_SECONDS.exec(about.keepAlive) ?? [])
  return {
    status,
    statusText,
    raw,
    framing: framingOf(status, method, about),
    keepAlive: staysOpen(minor, about.connection),
    keptMs: seconds === undefined ? undefined : Number(seconds) * 1_000,
  }
}

function staysOpen(minor: string, connection: string): boolean {
  if (minor === '0') return listHas(connection, 'keep-alive')
  return connection === '' || !listHas(connection, 'close')
}
