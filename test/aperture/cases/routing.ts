/** Which service a request goes to, and CORS. */
import { type Case, HOST, get, post, h2 } from './request.ts'

export const ROUTING: readonly Case[] = [
  { id: 'route.open', request: get('/open/x?a=1&b=2') },
  {
    id: 'route.host-with-port',
    request: { by: 'http1', method: 'GET', target: '/p', headers: [['Host', 'hp.test:8080']] },
  },
  {
    id: 'route.host-other-port',
    request: { by: 'http1', method: 'GET', target: '/p', headers: [['Host', 'hp.test:8081']] },
  },
  { id: 'route.order-first', request: get('/order/first/1') },
  { id: 'route.order-second', request: get('/order/1') },
  { id: 'route.no-match', request: get('/nope/x?y=1') },
  { id: 'route.no-match-post', request: post('/nope', 'body') },
  { id: 'route.no-match-head', request: get('/nope', [], 'HEAD') },
  { id: 'route.root', request: get('/') },
  { id: 'route.enc-slash', request: get('/open/a%2Fb/%7Ec%20d') },
  { id: 'route.enc-utf8', request: get('/open/caf%C3%A9') },
  { id: 'route.enc-percent', request: get('/open/100%25') },
  { id: 'route.enc-bad', request: get('/open/%zz') },
  { id: 'route.double-slash', request: get('/open//x//y') },
  { id: 'route.semicolon', request: get('/open/x;v=1?a=b;c=d') },
  { id: 'route.empty-query', request: get('/open/x?') },
  { id: 'route.odd-query', request: get('/open/x?q=a+b&r=%20&s=[1]&t="') },
  { id: 'route.dots', request: get('/open/../paid/x') },
  { id: 'route.dots-encoded', request: get('/open/%2e%2e/paid/x') },
  { id: 'route.backslash', request: get('/open/%5c..%5cpaid') },
  { id: 'route.enc-slash-open', request: get('/paid/x%2Fanywhere') },
  { id: 'route.enc-slash-whitelist', request: get('/wl/x%2Fanywhere%2F') },
  { id: 'route.enc-name', request: get('/%6fpen/x') },
  {
    id: 'route.absolute-form',
    request: {
      by: 'http1',
      method: 'GET',
      target: 'http://hostonly.test/abs?x=1',
      headers: [['Host', 'ignored.test']],
    },
  },
  { id: 'route.h2-get', request: h2('/open/x?a=b') },
  {
    id: 'route.h2-post',
    request: h2(
      '/open/x%2Fy?a=b',
      [
        ['content-type', 'text/plain'],
        ['x-custom', 'v'],
      ],
      'hello over h2',
    ),
  },
  {
    id: 'route.put',
    request: { by: 'http1', method: 'PUT', target: '/open/x', headers: HOST, body: 'put' },
  },
  { id: 'route.delete', request: get('/open/x', [], 'DELETE') },
  {
    id: 'route.patch',
    request: { by: 'http1', method: 'PATCH', target: '/open/x', headers: HOST, body: 'patch' },
  },
  { id: 'route.propfind', request: get('/open/x', [], 'PROPFIND') },
  { id: 'route.head', request: get('/open/x', [], 'HEAD') },
]

export const CORS: readonly Case[] = [
  {
    id: 'cors.preflight',
    request: get(
      '/open/x',
      [
        ['Origin', 'https://app.example'],
        ['Access-Control-Request-Method', 'PUT'],
      ],
      'OPTIONS',
    ),
  },
  { id: 'cors.options-paid', request: get('/paid/x', [], 'OPTIONS') },
  { id: 'cors.options-nowhere', request: get('/nope', [], 'OPTIONS') },
  { id: 'cors.merged', request: get('/open/_cors') },
]
