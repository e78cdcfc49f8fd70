/** What passes, to the upstream and back. */
import { type Case, HOST, get, post, h2, upgrade, l402 } from './request.ts'

export const HEADERS: readonly Case[] = [
  {
    id: 'head.hop-by-hop',
    request: get('/open/x', [
      ['Connection', 'X-Nominated, keep-alive, close'],
      ['X-Nominated', 'gone'],
      ['Keep-Alive', 'timeout=9'],
      ['Proxy-Connection', 'keep-alive'],
      ['Proxy-Authorization', 'Basic x'],
      ['Te', 'gzip'],
      ['Upgrade', 'foo'],
      ['X-Stays', '1'],
    ]),
  },
  {
    id: 'head.xff',
    request: get('/open/x', [
      ['X-Forwarded-For', '1.2.3.4'],
      ['X-Forwarded-For', '5.6.7.8'],
    ]),
  },
  {
    id: 'head.forwarded-others',
    request: get('/open/x', [
      ['X-Forwarded-Host', 'evil.test'],
      ['X-Forwarded-Proto', 'https'],
      ['Forwarded', 'for=1.2.3.4'],
      ['X-Real-IP', '1.2.3.4'],
    ]),
  },
  {
    id: 'head.cookie',
    request: get('/open/x', [
      ['Cookie', 'a=1; b=2'],
      ['User-Agent', 'test/1'],
      ['Accept', 'text/plain'],
    ]),
  },
  {
    id: 'head.dup',
    request: get('/open/x', [
      ['X-A', '1'],
      ['X-A', '2'],
      ['x-a', '3'],
    ]),
  },
  {
    id: 'head.config-headers',
    request: get('/hdr/x', [
      ['X-Static', 'from client'],
      ['X-Number', '1'],
    ]),
  },
  { id: 'head.response', request: get('/open/_hdrs') },
  {
    id: 'head.te-trailers',
    request: get('/open/x', [
      ['TE', 'trailers'],
      ['Connection', 'TE'],
    ]),
  },
  { id: 'head.accept-gzip', request: get('/open/_gzip', [['Accept-Encoding', 'gzip']]) },
  {
    id: 'head.range',
    request: get('/open/x', [
      ['Range', 'bytes=0-3'],
      ['If-Range', '"x"'],
    ]),
  },
  {
    id: 'head.pinhole',
    request: get('/open/x', [
      ['X-Pinhole-Service', 'admin'],
      ['x-pinhole-paid-msat', '1'],
    ]),
  },
]

export const BODIES: readonly Case[] = [
  { id: 'rewrite.plain', request: get('/rw/x') },
  { id: 'rewrite.encoded', request: get('/rw/a%2Fb/c%20d?q=%2F') },
  { id: 'rewrite.slash', request: get('/rw/x/') },
  { id: 'body.post', request: post('/open/x', 'hello', [['Content-Type', 'text/plain']]) },
  { id: 'body.empty-post', request: post('/open/x', '') },
  {
    id: 'body.chunked',
    request: {
      by: 'http1',
      method: 'POST',
      target: '/open/x',
      headers: HOST,
      body: 'chunked',
      trailers: { 'X-Sum': '1' },
    },
  },
  { id: 'body.mebibyte-up', request: post('/open/_count', Buffer.alloc(2 ** 20, 'y')) },
  { id: 'body.expect', request: post('/open/x', 'hello', [['Expect', '100-continue']]) },
  {
    id: 'body.get-with-body',
    request: { by: 'http1', method: 'GET', target: '/open/x', headers: HOST, body: 'odd' },
  },
  { id: 'answer.mebibyte-down', request: get('/open/_big/1') },
  { id: 'answer.sse', request: get('/open/_sse/4') },
  { id: 'answer.trailers', request: get('/open/_trailers', [['TE', 'trailers']]) },
  { id: 'answer.204', request: get('/open/_status/204') },
  { id: 'answer.304', request: get('/open/_status/304') },
  { id: 'answer.404', request: get('/open/_status/404') },
  { id: 'answer.500', request: get('/open/_status/500') },
  { id: 'answer.redirect', request: get('/open/_redirect') },
  { id: 'fail.dead', request: get('/dead/x') },
  { id: 'fail.dead-h2', request: h2('/dead/x') },
  { id: 'fail.hang-up', request: post('/open/_hang', 'x') },
  { id: 'fail.half', request: get('/open/_break') },
]

export const UPGRADES: readonly Case[] = [
  { id: 'ws.open', request: upgrade('/open/_ws', [['Sec-WebSocket-Protocol', 'chat, other']]) },
  { id: 'ws.unpaid', request: upgrade('/paid/_ws') },
  { id: 'ws.paid', request: ({ paid }) => upgrade('/paid/_ws', [['Authorization', l402(paid)]]) },
  { id: 'ws.dead', request: upgrade('/dead/_ws') },
]
