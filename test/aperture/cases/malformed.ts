/** Requests that are none. */
import { type Case, raw } from './request.ts'

export const MALFORMED: readonly Case[] = [
  { id: 'malformed.no-host', request: raw('GET /open/x HTTP/1.1\r\n\r\n') },
  {
    id: 'malformed.two-hosts',
    request: raw('GET /open/x HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'),
  },
  {
    id: 'malformed.space-before-colon',
    request: raw('GET /open/x HTTP/1.1\r\nHost: a\r\nX-A : b\r\nConnection: close\r\n\r\n'),
  },
  { id: 'malformed.version', request: raw('GET /open/x HTTP/9.9\r\nHost: a\r\n\r\n') },
  {
    id: 'smuggle.cl-cl-diff',
    request: raw(
      'POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    ),
  },
  {
    id: 'smuggle.cl-te',
    request: raw(
      'POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ),
  },
  {
    id: 'smuggle.te-unknown',
    request: raw(
      'POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ),
  },
  {
    id: 'smuggle.te-twice',
    request: raw(
      'POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ),
  },
  {
    id: 'smuggle.chunk-size',
    request: raw(
      'POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n-1\r\n\r\n',
    ),
  },
  {
    id: 'smuggle.cl-negative',
    request: raw(
      'POST /open/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\nConnection: close\r\n\r\n',
    ),
  },
]
