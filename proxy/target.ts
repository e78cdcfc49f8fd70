/** What a request asks for: RFC 9112 §3.2 (HTTP/1.1), RFC 9113 §8.3.1 (HTTP/2), read as Go reads it. */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { PlainRequest } from './fast-path/request.ts'
import { readPath, type Refused } from './path.ts'

/** The target of one request. */
export interface Target {
  /** `Host`, `:authority`, or the authority of an absolute target, with its port, as it was sent. */
  readonly host: string
  readonly method: string
  /** Path and query, byte for byte as they were sent; this is what is forwarded. */
  readonly url: string
  /** Decoded (Go's `URL.Path`); this is what patterns are matched on. */
  readonly path: string
  /** Behind the question mark, not decoded. */
  readonly query: string
  /** What else an upstream may take the path for; see `isAmbiguous`. */
  readonly readings: readonly string[]
}

/** A request of either version of HTTP. */
export type Request = IncomingMessage | Http2ServerRequest | PlainRequest

// RFC 9112 §3.2: a target has no blank, no control character, no byte above ASCII and no fragment.
const BAD_CHARACTER = /[^\x21-\x7e]|#/
// The characters of RFC 3986 §3.2 without user information, as Go's ValidHostHeader.
const HOST = /^[\w\-.~!$&'()*+,;=%:[\]]*$/

/** TRACE (RFC 9110 §9.3.8) repeats what the upstream was sent, the operator's own headers with it. */
const NOT_SERVED: ReadonlySet<string> = new Set(['CONNECT', 'TRACE'])

interface Parts {
  readonly host: string
  readonly url: string
}

/** How many `Host` lines there are: more than one is an attempt to be read in two ways. */
function hostLines(rawHeaders: readonly string[]): number {
  let lines = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') lines++
  }
  return lines
}

function splitHttp1(req: IncomingMessage | PlainRequest): Parts | Refused {
  if (hostLines(req.rawHeaders) > 1) return { refused: 'the request has several Host headers' }
  const url = req.url ?? ''
  if (url.startsWith('/') || url === '*') return { host: req.headers.host ?? '', url }
  const [, authority, rest = ''] = /^https?:\/\/([^/?]+)(.*)$/i.exec(url) ?? []
  if (authority === undefined) return { refused: 'the target is neither a path nor a URL' }
  // RFC 9112 §3.2.1: no path is the path /.
  return { host: authority, url: rest.startsWith('/') ? rest : `/${rest}` }
}

function splitHttp2(req: Http2ServerRequest): Parts | Refused {
  const { ':authority': authority, host } = req.headers
  const differ = authority !== undefined && host !== undefined && authority !== host
  if (differ && authority.toLowerCase() !== host.toLowerCase()) {
    return { refused: ':authority and Host differ' }
  }
  const url = req.url
  if (!url.startsWith('/') && url !== '*') return { refused: ':path is not a path' }
  return { host: authority ?? host ?? '', url }
}

/** Reads the target of `req`; says why when it is refused (400, `ERR_REQUEST_PATH`). Never throws. */
export function readTarget(req: Request): Target | Refused {
  const method = req.method ?? ''
  if (NOT_SERVED.has(method)) return { refused: `${method} is not served here` }
  const parts = 'authority' in req ? splitHttp2(req) : splitHttp1(req)
  if ('refused' in parts) return parts
  const { host, url } = parts
  if (!HOST.test(host)) return { refused: 'the host has characters that no host has' }
  if (url === '*') {
    if (method !== 'OPTIONS') return { refused: 'the target * is for OPTIONS alone' }
    return { host, method, url, path: url, query: '', readings: [] }
  }
  if (BAD_CHARACTER.test(url)) return { refused: 'the target has characters that no URL has' }
  const mark = url.indexOf('?')
  const read = readPath(mark < 0 ? url : url.slice(0, mark))
  if ('refused' in read) return read
  const query = mark < 0 ? '' : url.slice(mark + 1)
  return { host, method, url, path: read.path, query, readings: read.readings }
}
